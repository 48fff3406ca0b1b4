import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { copyBlankLedger } from '../../chaos/blank-ledger.ts';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { demoScenario } from '../../sandbox/scenario.ts';
import { startGatewayProcess, UNHURRIED, type GatewayProcess } from '../support/gateway-process.ts';

const IMAGES = join(import.meta.dirname, '..', '..', 'docs', 'images');

export interface OpenPage {
  readonly page: Page;
  /** Its clock stands still, so that nothing happens before `sandbox.clock.go()`. */
  readonly sandbox: Sandbox;
  /** Of the Temporal that the gateway embeds. */
  readonly port: number;
  /** Takes the page's picture: for the runbook with SCREENSHOTS=1, else only to see that it can be taken. */
  picture(name: string): Promise<void>;
  /** Stops everything; after a failure, first shows the page and keeps its picture. */
  close(hasFailed: boolean): Promise<void>;
}

/** Opens the Web UI of a real gateway, which holds its first stock update, in a real browser. */
export async function openPage(): Promise<OpenPage> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-ui-'));
  const pictures = process.env.SCREENSHOTS === '1' ? IMAGES : join(folder, 'images');
  await mkdir(pictures, { recursive: true });
  const sandbox = await startSandbox({ folder, halfHour: 15_000, scenario: demoScenario, held: true });
  let gateway: GatewayProcess | undefined;
  let browser: Browser | undefined;
  const stop = async () => {
    await Promise.allSettled([browser?.close(), gateway?.end('SIGTERM')]);
    await sandbox.stop();
  };

  try {
    const [port, uiPort] = [await freePort(), await freePort()];
    const { path, environment } = await writeConfiguration(sandbox, {
      folder,
      scenario: demoScenario,
      overrides: {
        schedule: { cron: '0 0 1 1 *' },
        temporal: { port, uiPort },
        proshop: { every: '10m' },
        gate: { firstRun: 'hold' },
        waits: { ...UNHURRIED, decision: '5m' },
      },
    });
    await copyBlankLedger(join(folder, 'data', 'ledger'));
    const started = (gateway = startGatewayProcess(path, environment));
    await started.ready();
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      // Its sandbox refuses root, and the Web UI must not need what it asks of the Internet.
      args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    });
    const page = await browser.newPage({
      baseURL: `http://127.0.0.1:${uiPort}`,
      viewport: { width: 1280, height: 800 },
      locale: 'fr-FR',
      timezoneId: 'Europe/Paris',
    });
    page.setDefaultTimeout(60_000);

    return {
      page,
      sandbox,
      port,
      async picture(name) {
        // Nothing under the mouse looks otherwise than the rest.
        await page.mouse.move(1279, 799);
        await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled' });
      },
      async close(hasFailed) {
        try {
          if (!hasFailed) return;
          const kept = join(folder, 'failed.png');
          console.error(`${page.url()}\n${await page.locator('body').innerText()}\n${started.output()}`);
          await page.screenshot({ path: kept });
          console.error(`The page's picture: ${kept}`);
        } finally {
          await stop();
          if (!hasFailed) await rm(folder, { recursive: true, force: true });
        }
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
