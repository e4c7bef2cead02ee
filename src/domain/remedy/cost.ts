/** What people pay for what a pod reserves. */
interface PriceBook {
  readonly cpuHour: number;
  readonly memoryGiBHour: number;
  readonly currency: string;
}

/** What the replicas of a workload reserve: requests of one pod, times replicas. */
export interface Reservation {
  readonly replicas: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

/** The difference that a change makes, in the currency of the price book. Negative = it saves. */
export interface Cost {
  readonly perHour: number;
  readonly perMonth: number;
  readonly currency: string;
  /** The arithmetic, one line. */
  readonly because: string;
}

// 365.25 days of 24 hours, by 12: the month that cloud price lists use.
const hoursPerMonth = 730.5;

/** What is reserved more than before, over all replicas; negative = less. */
export interface Reserved {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

/** Δ requests × replicas. */
export function reservedMore(before: Reservation, after: Reservation): Reserved {
  return {
    cpuCores: after.cpuCores * after.replicas - before.cpuCores * before.replicas,
    memoryBytes: after.memoryBytes * after.replicas - before.memoryBytes * before.replicas,
  };
}

/** Δ requests × replicas × price. Without a price book there is no cost to state. */
export function costOf(reserved: Reserved | undefined, prices: PriceBook | undefined): Cost | undefined {
  if (prices === undefined || reserved === undefined) return undefined;
  const cpu = reserved.cpuCores;
  const gibibytes = reserved.memoryBytes / 2 ** 30;
  const perHour = cpu * prices.cpuHour + gibibytes * prices.memoryGiBHour;
  const { currency } = prices;
  const because = `${signed(cpu)} cores × ${prices.cpuHour}, ${signed(gibibytes)} GiB × ${prices.memoryGiBHour} ${currency} per hour`;
  return { perHour: cents(perHour, 4), perMonth: cents(perHour * hoursPerMonth, 2), currency, because };
}

/** One line for people: `+0.12 EUR per hour, +87.66 EUR per month`. */
export function renderCost(cost: Cost): string {
  return `${signed(cost.perHour)} ${cost.currency} per hour, ${signed(cost.perMonth)} ${cost.currency} per month`;
}

export interface BudgetQuestion {
  readonly namespace: string;
  readonly budgets: Readonly<Record<string, number>>;
  /** Added cost per month of merged changes in this namespace that nobody reverted; undefined = unknown. */
  readonly running: number | undefined;
  /** The change in question; undefined = its cost is unknown. */
  readonly cost: Cost | undefined;
}

/** What changes that nobody reverted cost now; undefined when one of them is unreadable. Never below zero. */
export function runningCost(
  reserved: readonly (Reserved | undefined)[],
  prices: PriceBook | undefined,
): number | undefined {
  const costs = reserved.map((one) => costOf(one, prices)?.perMonth);
  if (prices === undefined || costs.some((cost) => cost === undefined)) return undefined;
  return Math.max(
    0,
    cents(
      costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0),
      2,
    ),
  );
}

/** The budget with its arithmetic, one line for people; undefined where there is none for the namespace. */
export function renderBudget({ namespace, budgets, running, cost }: BudgetQuestion): string | undefined {
  const budget = budgetOf(namespace, budgets);
  if (budget === undefined) return undefined;
  if (cost === undefined || running === undefined)
    return `budget of ${namespace}: ${budget} per month, its use is unknown`;
  const { currency, perMonth } = cost;
  const sum = cents(running + perMonth, 2);
  return `budget of ${namespace}: ${budget} ${currency} per month; changes that nobody reverted use ${running}, ${signed(perMonth)} = ${sum}`;
}

function budgetOf(namespace: string, budgets: BudgetQuestion["budgets"]): number | undefined {
  return Object.hasOwn(budgets, namespace) ? budgets[namespace] : undefined;
}

/** Why the budget stands in the way; undefined when it does not. A saving is never held back. */
export function budgetProblem({ namespace, budgets, running, cost }: BudgetQuestion): string | undefined {
  const budget = budgetOf(namespace, budgets);
  if (budget === undefined) return undefined;
  if (cost === undefined || running === undefined) return `the cost within the budget of ${namespace} is unknown`;
  if (cost.perMonth <= 0 || running + cost.perMonth <= budget) return undefined;
  const sum = cents(running + cost.perMonth, 2);
  return `the budget of ${namespace} is ${budget} ${cost.currency} per month, this change makes it ${sum}`;
}

function cents(amount: number, digits: number): number {
  return Number(amount.toFixed(digits));
}

function signed(amount: number): string {
  const rounded = Number(amount.toFixed(4));
  return rounded < 0 ? `−${-rounded}` : `+${rounded}`;
}
