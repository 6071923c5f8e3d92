/** The one entry of @iarna/toml that is used: without its streams. The package types only its main file. */
declare module '@iarna/toml/parse-string.js' {
  /** @throws Error with `pos`, where the text is no TOML. */
  export default function parse(text: string): Record<string, unknown>;
}
