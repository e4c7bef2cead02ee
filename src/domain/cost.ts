/** What people pay for what a pod reserves. */
export interface PriceBook {
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
export const hoursPerMonth = 730.5;

/** Δ requests × replicas × price. Without a price book there is no cost to state. */
export function costOf(before: Reservation, after: Reservation, prices: PriceBook | undefined): Cost | undefined {
  if (prices === undefined) return undefined;
  const cpu = after.cpuCores * after.replicas - before.cpuCores * before.replicas;
  const gibibytes = (after.memoryBytes * after.replicas - before.memoryBytes * before.replicas) / 2 ** 30;
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
  /** Added cost per month of merged changes in this namespace that nobody took back; undefined = unknown. */
  readonly running: number | undefined;
  /** The change in question; undefined = its cost is unknown. */
  readonly cost: Cost | undefined;
}

/** Why the budget stands in the way; undefined when it does not. A saving is never held back. */
export function budgetProblem({ namespace, budgets, running, cost }: BudgetQuestion): string | undefined {
  const budget = Object.hasOwn(budgets, namespace) ? budgets[namespace] : undefined;
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
