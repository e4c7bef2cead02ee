import type { Call, Routes } from "../http.ts";
import { bodyText, created, invalid, notFound, ok, paged, requiredText } from "../http.ts";
import { issueOf } from "./issues.ts";
import { accountView, commentView, issueView } from "./views.ts";
import type { Account, CommentRecord, IssueRecord, ForgeState } from "../world.ts";

/** Comments on issues and pull requests, and the reactions to them. */
export function commentRoutes(world: ForgeState): Routes {
  const at = "/repos/{owner}/{repo}";
  return {
    [`GET ${at}/issues/comments/{id}`]: (call) => ok(commentView(world, commentOf(world, call))),
    [`PATCH ${at}/issues/comments/{id}`]: (call) => {
      const comment = commentOf(world, call);
      requiredText(call, "body", "IssueComment");
      editComment(world, comment, bodyText(call, "IssueComment") ?? "", world.bot);
      return ok(commentView(world, comment));
    },
    [`DELETE ${at}/issues/comments/{id}`]: (call) => {
      deleteComment(world, commentOf(world, call), world.bot);
      return { status: 204 };
    },
    [`GET ${at}/issues/comments/{id}/reactions`]: (call) =>
      paged(
        call,
        commentOf(world, call).reactions.map((reaction) => reactionView(world, reaction)),
      ),
    [`POST ${at}/issues/comments/{id}/reactions`]: (call) => react(world, call),
    [`GET ${at}/issues/comments`]: (call) => paged(call, commentsOfAll(world, call)),
    [`GET ${at}/issues/{number}/comments`]: (call) => paged(call, listComments(world, call)),
    [`POST ${at}/issues/{number}/comments`]: (call) => {
      const issue = issueOf(world, call);
      requiredText(call, "body", "IssueComment");
      return created(commentView(world, addComment(world, issue, bodyText(call, "IssueComment") ?? "", world.bot)));
    },
  };
}

function commentOf(world: ForgeState, call: Call): CommentRecord {
  const comment = world.comments.get(Number(call.params.id));
  if (!comment) throw notFound();
  return comment;
}

function listComments(world: ForgeState, call: Call) {
  const { number } = issueOf(world, call);
  return commentsSince(world, call)
    .filter((comment) => comment.issue === number)
    .map((comment) => commentView(world, comment));
}

function commentsOfAll(world: ForgeState, call: Call) {
  const sorted = commentsSince(world, call).sort((a, b) => Date.parse(a.updatedAt) - Date.parse(b.updatedAt));
  return sorted.map((comment) => commentView(world, comment));
}

function commentsSince(world: ForgeState, call: Call): CommentRecord[] {
  const since = call.query.get("since") ?? "";
  return [...world.comments.values()].filter(
    (comment) => since === "" || Date.parse(comment.updatedAt) >= Date.parse(since),
  );
}

export function addComment(world: ForgeState, issue: IssueRecord, body: string, author: Account): CommentRecord {
  const now = world.now();
  const comment = {
    id: world.nextId(),
    issue: issue.number,
    author,
    body,
    createdAt: now,
    updatedAt: now,
    reactions: [],
  };
  world.comments.set(comment.id, comment);
  issue.updatedAt = now;
  emitComment(world, "created", comment, author);
  return comment;
}

export function editComment(world: ForgeState, comment: CommentRecord, body: string, editor: Account): void {
  const before = comment.body;
  comment.body = body;
  comment.updatedAt = world.now();
  emitComment(world, "edited", comment, editor, { changes: { body: { from: before } } });
}

export function deleteComment(world: ForgeState, comment: CommentRecord, sender: Account): void {
  world.comments.delete(comment.id);
  emitComment(world, "deleted", comment, sender);
}

function emitComment(
  world: ForgeState,
  action: string,
  comment: CommentRecord,
  ...[sender, more]: [Account, Readonly<Record<string, unknown>>?]
): void {
  const issue = world.issues.get(comment.issue);
  if (!issue) return;
  const payload = { action, issue: issueView(world, issue), comment: commentView(world, comment), ...more };
  world.emit("issue_comment", payload, sender);
}

const reactionContents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

function react(world: ForgeState, call: Call) {
  const comment = commentOf(world, call);
  const content = requiredText(call, "content", "Reaction");
  if (!reactionContents.includes(content)) throw invalid("Reaction", "content", { code: "invalid" });
  const known = comment.reactions.find((one) => one.content === content && one.author === world.bot);
  // The same reaction twice is one reaction: 200 instead of 201.
  if (known) return ok(reactionView(world, known));
  const reaction = { id: world.nextId(), author: world.bot, content, at: world.now() };
  comment.reactions.push(reaction);
  return created(reactionView(world, reaction));
}

function reactionView(world: ForgeState, reaction: CommentRecord["reactions"][number]) {
  const { id, content, at } = reaction;
  return { id, node_id: `RE_${id}`, user: accountView(world, reaction.author), content, created_at: at };
}
