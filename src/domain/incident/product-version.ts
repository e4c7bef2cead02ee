/** The release that a capsule was made by; equal to the version in package.json. */
export const productVersion = "0.1.0";
