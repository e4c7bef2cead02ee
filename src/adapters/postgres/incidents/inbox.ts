import { batched } from "./accept-batch.ts";
import type { Query, Row } from "../query.ts";

/** A raw delivery as it arrived, before anyone parsed it. */
interface Delivery {
  readonly id: string;
  readonly kind: "alerts" | "github";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A delivery that is this process's to settle, until its claim ends. */
export interface Claimed extends Delivery {
  /** How often it failed by its own fault: an error of ours, or the death of the process that had it in hand. */
  readonly tries: number;
  /** How often it was put off. */
  readonly delays: number;
  /** Somebody claimed it before and never settled it: it is taken alone, so that it cannot take others with it. */
  readonly suspect: boolean;
  /** When it came, or when a person let it be tried again. */
  readonly receivedAt: Date;
}

/** A delivery that is not tried again until a person wants it. */
export interface ParkedDelivery {
  readonly id: string;
  readonly kind: Delivery["kind"];
  /** The event of GitHub; empty for alerts. */
  readonly event: string;
  /** RFC 3339. */
  readonly receivedAt: string;
  readonly because: string;
}

// As long as GitHub may deliver a webhook again under the same id, and a day more.
const keepMs = 31 * 24 * 3_600_000;
// Whoever holds a claim longer than this is gone.
const claimMs = 30_000;
// Counting further would cost more than it tells.
const mostCounted = 20_000;

export function inbox(query: Query) {
  const acceptAlerts = batched(async (items: readonly { body: Uint8Array; urgency: number }[]) => {
    const text = `insert into inbox (kind, headers, body, urgency)
      select 'alerts', '{}', body, urgency from unnest($1::bytea[], $2::smallint[]) as new (body, urgency)`;
    await query(text, [items.map(({ body }) => Buffer.from(body)), items.map(({ urgency }) => urgency)]);
  });
  return {
    /** Stores the raw delivery; false when this delivery id was already accepted. Lower urgencies are read first. */
    async accept(kind: Delivery["kind"], headers: Delivery["headers"], body: Uint8Array, rank: Rank = {}) {
      const { delivery, urgency = 0 } = rank;
      if (kind === "alerts" && delivery === undefined) {
        await acceptAlerts({ body, urgency });
        return true;
      }
      const text = `insert into inbox (kind, delivery, headers, body, urgency) values ($1, $2, $3, $4, $5)
        on conflict do nothing`;
      const values = [kind, delivery ?? null, JSON.stringify(headers), Buffer.from(body), urgency];
      return (await query(text, values)).rowCount === 1;
    },
    ...claims(query),
    ...parking(query),
    /** Deletes what was settled and is old; what is parked stays, with its raw bytes. */
    async forgetDeliveries(now: Date) {
      const before = new Date(now.getTime() - keepMs).toISOString();
      const settled = "delete from inbox where received_at < $1 and outcome is not null and outcome not like 'parked%'";
      await query(settled, [before]);
      await query("delete from alert where incident is null and starts_at < $1", [before]);
    },
    async waitingCount(): Promise<number> {
      const text = "select count(*)::int as count from (select 1 from inbox where outcome is null limit $1) as waiting";
      return (await query(text, [mostCounted])).rows[0]?.count ?? 0;
    },
  };
}

/** By what a delivery is known again, and how soon it is read. */
interface Rank {
  readonly delivery?: string;
  readonly urgency?: number;
}

/** One reader's part where several processes read. */
export interface Share {
  /** So many processes live. */
  readonly living: number;
  /** What came within this time is left to those who have less to do, in milliseconds. */
  readonly leaveMs: number;
}

// A holder whom the claim outlived, and who says that it lives; the one that asks now does.
const holderLives = `exists (select 1 from executor e where e.id = claimed_by and e.gone_at is null
            and (e.id = $2 or e.seen_at > now() - $5 * interval '1 millisecond'))`;

// One that another process had in hand when its claim ended: if it died of it, it is known as gone a moment later, and
// only then its death counts. A live one that lost its claim is waited for no longer than that.
const mayBeDying = `(in_hand and claimed_by <> $2 and claimed_until > now() - interval '40 seconds'
          and exists (select 1 from executor e where e.id = claimed_by and e.gone_at is null))`;

/** Work on deliveries belongs to one holder, for half a minute at a time. */
function claims(query: Query) {
  return {
    /**
     * Claims deliveries that are due: the most urgent and newest, and a quarter by age, so that none waits for ever.
     * One that its last holder had in hand when its claim ended counts a failure of its own, unless that one lives: then
     * Postgres was away while it worked, which is nobody's fault. Where several processes read, one takes its part of
     * what is due, and leaves what is younger than `leaveMs` to the others.
     */
    async claim(
      kind: Delivery["kind"],
      holder: string,
      limit: number,
      { living = 1, leaveMs = 0 }: Partial<Share> = {},
    ): Promise<Claimed[]> {
      const due = `kind = $1 and outcome is null and due_at <= now()
        and (claimed_until is null or claimed_until < now() and not ${mayBeDying}) and received_at <= now() - $7 * interval '1 millisecond'`;
      const part = (limit: string) =>
        `(select ${limit}::int from (select 1 from inbox where ${due} limit ($3::int + $4::int) * $6::int) as found)`;
      // GitHub's events are few: in the order in which they came.
      const order = kind === "alerts" ? "urgency, id desc" : "id";
      const text = `with first as (select id from inbox where ${due} order by ${order} limit ${part("least($3::int, ceil(count(*)::numeric / $6::int))")} for update skip locked),
          oldest as (select id from inbox where ${due} and id not in (select id from first)
            order by id limit ${part("least($4::int, floor(count(*)::numeric / 4 / $6::int))")} for update skip locked),
          picked as (select id, claimed_by is not null as suspect, in_hand and not ${holderLives} as counts from inbox
            where id in (select id from first union all select id from oldest))
        update inbox i set claimed_by = $2, claimed_until = now() + $5 * interval '1 millisecond', in_hand = false,
          tries = i.tries + coalesce(picked.counts, false)::int
        from picked where i.id = picked.id
        returning i.id, i.kind, i.headers, i.body, i.tries, i.delays, coalesce(i.replayed_at, i.received_at) as received_at, picked.suspect`;
      const oldest = Math.floor(limit / 4);
      const { rows } = await query(text, [kind, holder, limit - oldest, oldest, claimMs, living, leaveMs]);
      return rows.map(claimedOf).sort((a, b) => Number(a.id) - Number(b.id));
    },
    /** Written before a delivery is worked on alone: if the process dies now, it is this one that it died of. */
    async takeInHand(id: string) {
      const text =
        "update inbox set in_hand = true, claimed_until = now() + $2 * interval '1 millisecond' where id = $1";
      await query(text, [id, claimMs]);
    },
    /** What came of each. */
    async settle(settled: readonly { readonly id: string; readonly outcome: string }[]) {
      const text = `update inbox i set outcome = done.outcome, in_hand = false, claimed_by = null, claimed_until = null
        from unnest($1::bigint[], $2::text[]) as done (id, outcome) where i.id = done.id`;
      await query(text, [settled.map(({ id }) => id), settled.map(({ outcome }) => outcome)]);
    },
    /** Puts one off; `own` = the failure was its own. */
    async putOff(id: string, { pauseMs, because, own }: { pauseMs: number; because: string; own: boolean }) {
      const text = `update inbox set due_at = now() + $2 * interval '1 millisecond', problem = $3, delays = delays + 1,
        tries = tries + $4::int, in_hand = false, claimed_by = null, claimed_until = null where id = $1`;
      await query(text, [id, Math.round(pauseMs), because, own ? 1 : 0]);
    },
    /** After a start: what this holder had claimed before is free at once. */
    async releaseClaims(holder: string) {
      const text =
        "update inbox set claimed_until = now() - interval '1 second' where claimed_by = $1 and outcome is null";
      await query(text, [holder]);
    },
  };
}

function claimedOf({ id, kind, headers, body, tries, delays, suspect, received_at }: Row): Claimed {
  return { id, kind, headers, body, tries, delays, suspect, receivedAt: received_at };
}

function parking(query: Query) {
  return {
    /** What is parked, newest first. */
    async parkedDeliveries(limit: number): Promise<ParkedDelivery[]> {
      const text = `select id, kind, headers ->> 'event' as event, received_at, outcome from inbox
        where outcome like 'parked%' order by id desc limit $1`;
      const { rows } = await query(text, [limit]);
      return rows.map(({ id, kind, event, received_at, outcome }) => ({
        ...{ id, kind, event: event ?? "", receivedAt: (received_at as Date).toISOString() },
        because: String(outcome).replace(/^parked: /, ""),
      }));
    },
    async parkedCount(): Promise<number> {
      const { rows } = await query("select count(*)::int as count from inbox where outcome like 'parked%'");
      return rows[0]?.count ?? 0;
    },
    /** Lets parked deliveries be tried again, all of them or those of these ids; answers which. */
    async replayDeliveries(ids: "all" | readonly string[]): Promise<string[]> {
      const text = `update inbox set outcome = null, problem = null, tries = 0, delays = 0, due_at = now(),
          replayed_at = now(), claimed_by = null, claimed_until = null, in_hand = false
        where outcome like 'parked%' and ($1 or id = any($2::bigint[])) returning id`;
      const { rows } = await query(text, [ids === "all", ids === "all" ? [] : ids]);
      return rows.map(({ id }) => String(id)).sort((a, b) => Number(a) - Number(b));
    },
  };
}
