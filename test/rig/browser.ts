/**
 * A headless Chromium (Debian's `chromium`) with an empty profile, that opens files and notes everything a page must
 * not do: errors, messages on the console, requests. Knows nothing of the pages.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1400, height: 900 };

export interface Look {
  readonly size: { readonly width: number; readonly height: number };
  readonly scheme: 'light' | 'dark';
}

export interface Opened {
  readonly page: Page;
  /** Errors and messages on the console, uncaught exceptions, requests for anything but the page itself. */
  readonly complaints: readonly string[];
}

export interface Browser {
  open(file: string, look: Look): Promise<Opened>;
  close(): Promise<void>;
}

export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'stx-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    open: async (file, look) => {
      const url = pathToFileURL(file).href;
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
      page.on('request', (request) => {
        const asked = request.url().split('#')[0] ?? '';
        if (asked !== url && !asked.startsWith('data:')) complaints.push(`request: ${asked}`);
      });
      await page.setViewportSize(look.size);
      await page.emulateMedia({ colorScheme: look.scheme });
      await page.goto(url);
      return { page, complaints };
    },
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
