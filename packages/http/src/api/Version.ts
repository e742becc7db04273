/** The version of this package, told by health checks and the API document. A test holds it to package.json. */
export const version = "0.1.0"
