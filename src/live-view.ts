import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import type { Waiting } from './run-cycle.ts';
import {
  DECISIONS,
  holdSentence,
  OPENING,
  OUTCOME_WORDS,
  STATE_WORDS,
  stepLabel,
  stepSentence,
} from './workflows/labels.ts';
import type { CycleReport, StepReport, StepState } from './workflows/report.ts';

export interface LiveView {
  show(report: CycleReport, waiting: Waiting | null): void;
  end(): void;
}

const MARKS: Readonly<Record<StepState, string>> = {
  waiting: '·',
  running: '▶',
  done: '✓',
  skipped: '–',
  failed: '✗',
};
const COLOURS = {
  waiting: 'gray',
  running: 'cyan',
  done: 'green',
  skipped: 'yellow',
  failed: 'red',
} as const;

/** Shows a cycle's steps: redrawn in place on a terminal, a line a change elsewhere. */
export function createLiveView(out: NodeJS.WriteStream): LiveView {
  return out.isTTY ? createTerminalView(out) : createLineView(out);
}

function createTerminalView(out: NodeJS.WriteStream): LiveView {
  const redraw = createLogUpdate(out);
  return {
    show(report, waiting) {
      const lines = report.steps.map((step) => {
        const line = stepLine(step, step.state === 'running' ? waiting : null);
        // A line that wraps cannot be redrawn in place.
        return styleText(COLOURS[step.state], line.slice(0, (out.columns || 120) - 1));
      });
      const title = styleText('bold', `Cycle ${OUTCOME_WORDS[report.outcome]}`);
      redraw([title, ...openingLine(report, waiting), ...lines, ...holdLines(report)].join('\n'));
    },
    end: () => redraw.done(),
  };
}

function createLineView(out: NodeJS.WriteStream): LiveView {
  const shown = new Map<number, StepState>();
  let opening = '';
  let holds = '';
  return {
    show(report, waiting) {
      const [line = ''] = openingLine(report, waiting);
      if (line !== '' && waiting?.message !== opening) out.write(`${line}\n`);
      opening = waiting?.message ?? '';
      for (const step of report.steps) {
        if ((step.state === 'waiting' && step.why === null) || shown.get(step.number) === step.state)
          continue;
        shown.set(step.number, step.state);
        out.write(`${stepLine(step, null)}\n`);
      }
      const told = holdLines(report).join('\n');
      if (told !== holds) out.write(`${told}\n`);
      holds = told;
    },
    end: () => undefined,
  };
}

/** What holds a cycle up before its first step; nothing once that has begun. */
function openingLine(report: CycleReport, waiting: Waiting | null): readonly string[] {
  if (waiting === null || report.steps.some(({ state }) => state !== 'waiting')) return [];
  return [`${OPENING} · ${waiting.message} (essai ${waiting.attempt})`];
}

/** What the gate holds, and how a person decides. */
function holdLines({ holds = [], endedAt }: CycleReport): readonly string[] {
  const isOpen = endedAt === null && holds.at(-1)?.decision === null;
  return [...holds.map(holdSentence), ...(isOpen ? [DECISIONS.howToType] : [])];
}

function stepLine(step: StepReport, waiting: Waiting | null): string {
  const detail = waiting === null ? stepSentence(step) : `${waiting.message} (regard ${waiting.attempt})`;
  const parts = [
    `${MARKS[step.state]} ${stepLabel(step.name)}`,
    STATE_WORDS[step.state],
    elapsed(step),
    detail,
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function elapsed({ startedAt, endedAt }: StepReport): string {
  if (startedAt === null) return '';
  const end = endedAt === null ? Date.now() : Date.parse(endedAt);
  return `${((end - Date.parse(startedAt)) / 1000).toFixed(1)} s`;
}
