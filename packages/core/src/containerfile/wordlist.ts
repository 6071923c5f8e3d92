/** The words that the shell lexer's output falls into. Unaware of quotes and variables. */

import { ANY_SPACE, isSpace } from './text.ts';

/** Collects text and splits it at space. `buffer` holds the word being written; lexers that are nested in each
 * other share one. */
export class Words {
  readonly list: string[] = [];
  private inWord = false;
  private readonly buffer: { text: string };

  constructor(buffer: { text: string }) {
    this.buffer = buffer;
  }

  add(text: string): void {
    if (!ANY_SPACE.test(text)) {
      if (text !== '') this.addRaw(text);
      return;
    }
    for (const char of text) {
      if (!isSpace(char)) this.addRaw(char);
      else if (this.inWord && this.buffer.text !== '') {
        this.list.push(this.buffer.text);
        this.buffer.text = '';
        this.inWord = false;
      }
    }
  }

  addRaw(text: string): void {
    this.buffer.text += text;
    this.inWord = true;
  }

  finish(): string[] {
    if (this.buffer.text !== '') {
      this.list.push(this.buffer.text);
      this.buffer.text = '';
      this.inWord = false;
    }
    return this.list;
  }
}
