/** The release that a capsule was made by; equal to the version in package.json. */
export const storyRevision = "0.1.0";
