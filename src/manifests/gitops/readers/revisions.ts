/** A commit, a version, or the full name of anything but a branch. */
export const isPin = (revision: string): boolean =>
  /^[0-9a-f]{40}$|^v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$|^refs\/(?!heads\/)/i.test(revision);

/** What may be a branch as well as a tag, a range of versions or the begin of a commit: a branch or tag is looked for first. */
export const mayBePin = (revision: string): boolean => /^v?\d+(?:\.(?:\d+|x)){0,2}$|^[0-9a-f]{7,39}$/i.test(revision);
