import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../sandbox/scenario.ts';
import { scheduleOf } from './cycles.ts';
import type { Directive } from './directive.ts';
import { describeFault } from './plan.ts';
import type { Fault } from './plan.ts';
import { oneUnit, perform } from './shoppers.ts';
import type { Stage } from './stage.ts';

/**
 * Arms the faults of one cycle; those of its start, and what people do of held updates, are the caller's. Gives what takes
 * them back, so that everything works again; it resolves to what struck, but for what the sandbox and the gateway's
 * process note themselves.
 */
export function armFaults(
  stage: Stage,
  scenario: Scenario,
  faults: readonly Fault[],
): () => Promise<readonly string[]> {
  const { sandbox, ftp, proxy, postgres, gateway } = stage;
  const struck: string[] = [];
  const work: Promise<unknown>[] = [];
  const deeds: Extract<Fault, { kind: 'shopper' }>[] = [];
  const acts: { readonly command: string; readonly occurrence: number; readonly act: () => unknown }[] = [];
  const seen = new Map<string, number>();
  const known = proxy.struck.length;
  let kill: Directive['kill'];
  let fullDisk: Directive['fullDisk'];
  let nap: Directive['nap'];
  let toMend = false;

  const before = (command: string, occurrence: number, act: () => unknown) =>
    acts.push({ command, occurrence, act });
  const at = (fault: Extract<Fault, { command: number }>, act: () => unknown) =>
    before('*', fault.command, () => {
      struck.push(describeFault(fault));
      return act();
    });
  const later = (milliseconds: number, act: () => Promise<unknown>) =>
    work.push(sleep(milliseconds).then(act));

  for (const fault of faults) {
    switch (fault.kind) {
      case 'kill worker':
        kill = { effect: fault.effect, moment: fault.moment };
        gateway.restartAfter(fault.downFor);
        break;
      case 'kill temporal':
        at(fault, () => {
          gateway.restartAfter(fault.downFor);
          return stage.killTemporal();
        });
        break;
      case 'kill ftp server':
        at(fault, () => {
          later(fault.downFor, () => ftp.start());
          return ftp.kill();
        });
        break;
      case 'kill ledger':
        at(fault, () => {
          later(fault.downFor, async () => postgres?.start());
          return postgres?.kill();
        });
        break;
      case 'ftp':
        proxy.arm(fault.rule);
        break;
      case 'ftp refuses connections':
        at(fault, () => proxy.refuse(fault.for));
        break;
      case 'shop':
        sandbox.failNext(fault.job, fault.fault);
        break;
      case 'webservice':
        sandbox.webservice?.server.failNext(
          fault.match,
          fault.fault,
          fault.milliseconds === undefined ? {} : { milliseconds: fault.milliseconds },
        );
        break;
      case 'shopper':
        deeds.push(fault);
        break;
      case 'orders exported by hand':
        before(fault.before, fault.occurrence, () => {
          orderOneMore(stage, scenario);
          return sandbox.exportOrdersByHand();
        });
        break;
      case 'proshop is late':
        sandbox.proshop.skipImports(1);
        break;
      case 'proshop takes half':
        sandbox.proshop.takeHalf();
        break;
      case 'bad ExportCSV':
        sandbox.damageNextExport(fault.damage);
        break;
      case 'full disk':
        fullDisk = { write: fault.write, writes: fault.writes };
        break;
      case 'attempt sleeps':
        nap = { after: fault.after, until: fault.until };
        break;
      case 'clock jumps':
        at(fault, () => stage.moveClock(fault.by));
        break;
      case 'redeployed':
        at(fault, () => {
          toMend ||= fault.change.startsWith('wrong');
          work.push(stage.redeploy([fault.change]));
        });
        break;
      case 'paused':
        at(fault, () => {
          work.push(stage.askTemporal((client) => scheduleOf(client).pause('inventaire')));
        });
        before('*', fault.command + fault.for, () => {
          work.push(stage.askTemporal((client) => scheduleOf(client).unpause()));
        });
        break;
      case 'mail server hangs':
      case 'daylight saving':
        struck.push(describeFault(fault));
        break;
      case 'schedule':
      case 'update held':
        break;
    }
  }
  stage.order({ kill, fullDisk, nap });
  const unlisten = proxy.onCommand(async (_count, verb) => {
    for (const name of [verb, '*']) seen.set(name, (seen.get(name) ?? 0) + 1);
    const due = acts.filter(
      ({ command, occurrence }) => [verb, '*'].includes(command) && seen.get(command) === occurrence,
    );
    // The command waits until what comes before it is over.
    for (const { act } of due) await act();
  });

  let requests = 0;
  const endDeeds = sandbox.webservice?.server.onRequest(() => {
    requests++;
    for (const deed of deeds.filter(({ request }) => request === requests))
      if (perform(sandbox, scenario, deed.deed)) struck.push(describeFault(deed));
  });

  return async () => {
    unlisten();
    endDeeds?.();
    await Promise.all(work);
    proxy.disarm();
    sandbox.recover();
    stage.order({});
    await Promise.all([ftp.start(), postgres?.start()]);
    if (faults.some(({ kind }) => kind === 'paused'))
      await stage.askTemporal((client) => scheduleOf(client).unpause());
    if (toMend) await stage.redeploy([]);
    const rules = proxy.struck.slice(known);
    return [...struck, ...rules.map((rule) => describeFault({ kind: 'ftp', rule }))];
  };
}

function orderOneMore({ sandbox }: Stage, scenario: Scenario): void {
  try {
    sandbox.placeOrder(oneUnit(scenario));
  } catch {
    // Sold out: somebody exports all the same.
  }
}
