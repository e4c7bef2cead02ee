import { Refused } from "./errors.ts";
import type { GitHost, People } from "./github.ts";
import type { Ports } from "./ports.ts";

/**
 * The same ports without a way to write anything outside: the one place at which shadow mode and the backtest are closed.
 * A method that writes, and that somebody calls by mistake, refuses; nothing of it leaves the process.
 */
export function readOnly(ports: Ports, because = "shadow mode: nothing is written"): Ports {
  const refuse = (what: string) => () => Promise.reject(new Refused(`${because} (${what})`));
  const { changes } = ports;
  return {
    ...ports,
    github: readingHost(ports.github, refuse),
    people: readingPeople(ports.people, refuse),
    ...{ guardrailsHost: undefined, notifier: undefined },
    queue: undefined,
    leases: undefined,
    rollbacks: undefined,
    changes: changes && {
      reservedIn: (namespace) => changes.reservedIn(namespace),
      revertedChanges: (workload, since) => changes.revertedChanges(workload, since),
      record: refuse("recording a change"),
      settle: refuse("settling a change"),
    },
  };
}

type Refuse = (what: string) => () => Promise<never>;

/** Every method by name: a new one does not compile before somebody decides here whether it writes. */
function readingHost(github: GitHost, refuse: Refuse): GitHost {
  return {
    head: () => github.head(),
    at: (sha) => github.at(sha),
    commitsSince: (since) => github.commitsSince(since),
    contains: (descendant, ancestor) => github.contains(descendant, ancestor),
    openIssuesWithLabel: (label) => github.openIssuesWithLabel(label),
    ownIssue: (name) => github.ownIssue(name),
    look: (proposal) => github.look(proposal),
    stateOf: (proposal) => github.stateOf(proposal),
    openProposals: () => github.openProposals(),
    publish: refuse("opening a pull request"),
    report: refuse("a comment"),
    keepIssue: refuse("the dashboard issue"),
    mark: refuse("a label"),
    merge: refuse("a merge"),
    leaveQueue: refuse("leaving the merge queue"),
    close: refuse("closing a pull request"),
    withdraw: refuse("withdrawing a pull request"),
  };
}

function readingPeople(people: People, refuse: Refuse): People {
  return {
    comment: (id) => people.comment(id),
    commentsOn: (proposal) => people.commentsOn(proposal),
    commentsSince: (since) => people.commentsSince(since),
    permissionOf: (login) => people.permissionOf(login),
    teamsOf: (login, teams) => people.teamsOf(login, teams),
    committersOf: (proposal) => people.committersOf(proposal),
    react: refuse("a reaction"),
  };
}
