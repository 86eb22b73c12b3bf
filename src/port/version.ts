/** The program's version: that of package.json, which a test compares. Here, so that starting reads no file. */
export const version = '0.1.0';
