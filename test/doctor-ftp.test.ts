import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../sandbox/free-port.ts';
import { exitCodeOf } from '../src/doctor/doctor.ts';
import { doctorLine } from '../src/workflows/labels.ts';
import { createAuthority, type Authority } from './support/authority.ts';
import { examine, ills, names, openPatient, standing, USUAL, type Patient } from './support/doctor.ts';
import { FTPS_SERVER, onEach, REAL_SERVERS, type TestedFtpServer } from './support/ftp-servers.ts';
import { VISITOR } from './support/world.ts';
import { temporaryFolder } from './sandbox/small-shop.ts';

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority();
});
afterAll(() => authority.remove());

/** Sees the patient, and that the FTP server is left as it was: Proshop's folder is not so much as touched. */
async function examineUnchanged(patient: Patient) {
  const { root } = patient.sandbox.ftp;
  const proshops = async () => (await standing(root)).filter((entry) => entry.startsWith('import'));
  const [before, proshopsBefore] = [await names(root), await proshops()];
  const findings = await examine(patient);
  expect(await names(root)).toEqual(before);
  expect(await proshops()).toEqual(proshopsBefore);
  return findings;
}

const told = (findings: Awaited<ReturnType<typeof examine>>, what: string) =>
  findings.filter((finding) => finding.what === what && finding.verdict !== 'ok').map(doctorLine);

describe('an FTP server that refuses', () => {
  it('the password: told, and the other ends are tried all the same', async () => {
    const findings = await examineUnchanged(
      await openPatient({ environment: { FTP_PASSWORD: 'not-the-one' } }),
    );
    expect(ills(findings)).toEqual(['ftp login fault', 'temporal server warning']);
    expect(findings.at(-1)).toMatchObject({ end: 'archive', verdict: 'ok' });
    expect(exitCodeOf(findings)).toBe(1);
    expect(told(findings, 'login')).toEqual([
      expect.stringMatching(/ne nous laisse pas entrer : 530 .*mot de passe/),
    ]);
  });

  it('the password, and repeats it: told without it', async () => {
    const patient = await openPatient();
    const text = `Login incorrect for ${patient.sandbox.ftp.password}.`;
    patient.proxy.arm({ command: 'PASS', occurrence: 1, fault: { kind: 'reply', code: 530, text } });
    const findings = await examineUnchanged(patient);
    expect(findings.find(({ what }) => what === 'login')?.seen).toBe('530 Login incorrect for (secret).');
  });

  it.each([
    ['SIZE', 502, 'Command not implemented.', ['ftp size fault']],
    ['STOR', 553, 'Could not create file.', ['ftp write fault']],
    ['RNFR', 550, 'RNFR command failed.', ['ftp rename fault']],
    ['DELE', 550, 'Delete operation failed.', ['ftp remove fault']],
  ])('%s in our folder: told, and nothing is left', async (command, code, text, expected) => {
    const patient = await openPatient();
    patient.proxy.arm({ command, occurrence: 1, fault: { kind: 'reply', code, text } });
    const findings = await examineUnchanged(patient);
    expect(patient.proxy.struck).toHaveLength(1);
    expect(ills(findings)).toEqual([...USUAL.slice(0, 1), ...expected, ...USUAL.slice(1)]);
    expect(findings.find(({ verdict }) => verdict === 'fault')?.seen).toContain(text);
  });

  it('to tell the time of a file: told as what it is', async () => {
    const patient = await openPatient();
    for (const occurrence of [1, 2]) {
      const fault = { kind: 'reply', code: 502, text: 'Command not implemented.' } as const;
      patient.proxy.arm({ command: 'MDTM', occurrence, fault });
    }
    const findings = await examineUnchanged(patient);
    expect(ills(findings, 'ftp')).toEqual(['ftp mlsd warning', 'ftp mdtm warning']);
    expect(findings.map(({ what }) => what)).not.toContain('clock');
  });
});

describe('a folder', () => {
  it('that is missing is told by its setting; the others are seen', async () => {
    const patient = await openPatient({ overrides: { proshop: { importFolder: '/nulle-part' } } });
    const findings = await examineUnchanged(patient);
    expect(ills(findings, 'ftp')).toEqual(['ftp folder fault', 'ftp mlsd warning']);
    expect(told(findings, 'folder')).toEqual([
      expect.stringMatching(
        /^erreur {4}FTP : dossier \/nulle-part \(proshop\.importFolder\) : Expected the folder/,
      ),
    ]);
  });

  it('of ours that is a file stays one', async () => {
    const patient = await openPatient();
    await writeFile(join(patient.sandbox.ftp.root, 'passerelle'), 'a file');
    expect(ills(await examineUnchanged(patient), 'ftp')).toEqual(['ftp folder fault']);
    expect(await readFile(join(patient.sandbox.ftp.root, 'passerelle'), 'utf8')).toBe('a file');
  });

  it('of ours that is missing, with those around it, is missing again afterwards', async () => {
    const patient = await openPatient({ overrides: { ftp: { staging: '/deep/er/passerelle' } } });
    expect(ills(await examineUnchanged(patient))).toEqual(USUAL);
    expect(await names(patient.sandbox.ftp.root)).toEqual(['export', 'import']);
  });

  it('of ours that is there keeps what is in it', async () => {
    const patient = await openPatient();
    await mkdir(join(patient.sandbox.ftp.root, 'passerelle'));
    await writeFile(join(patient.sandbox.ftp.root, 'passerelle', 'kept.claim'), 'kept');
    expect(ills(await examineUnchanged(patient))).toEqual(USUAL);
  });
});

it.each([
  [3_600_000, /le serveur avance de 60 min 0 s|le serveur avance de 59 min 5\d s/],
  [-3_600_000, /le serveur retarde de 60 min 0 s|le serveur retarde de 59 min 5\d s/],
])('a clock that is off by %i ms is told', async (shift, expected) => {
  const patient = await openPatient();
  patient.proxy.showTimes((time) => new Date(time.getTime() + shift));
  const findings = await examineUnchanged(patient);
  expect(ills(findings, 'ftp')).toEqual(['ftp mlsd warning', 'ftp clock warning']);
  expect(told(findings, 'clock')).toEqual([expect.stringMatching(expected)]);
  expect(exitCodeOf(findings)).toBe(0);
});

describe('a connection', () => {
  it('that nobody takes is told', async () => {
    const findings = await examineUnchanged(
      await openPatient({ overrides: { ftp: { port: await freePort() } } }),
    );
    expect(ills(findings)).toEqual(['ftp connection fault', 'temporal server warning']);
  });

  it.each(['cut before', 'reply lost'] as const)(
    'that breaks at the rename (%s) leaves nothing',
    async (kind) => {
      const patient = await openPatient();
      patient.proxy.arm({ command: 'RNTO', occurrence: 1, fault: { kind } });
      const findings = await examineUnchanged(patient);
      expect(ills(findings, 'ftp')).toEqual(['ftp mlsd warning', 'ftp rename fault', 'ftp remove fault']);
    },
  );

  it('whose words are commands to a terminal forges no line', async () => {
    const forger = createServer((socket) => {
      socket.on('error', () => undefined).write('220 \r\n');
      socket.on('data', () => socket.write('530 \u001b[2J\u001b[1;32mbon FTP : tout va bien\u0007\r\n'));
    });
    await new Promise<void>((resolve) => forger.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void forger.close());
    const { port } = forger.address() as AddressInfo;
    const findings = await examine(await openPatient({ overrides: { ftp: { port } } }));
    expect(ills(findings)).toEqual(['ftp login fault', 'temporal server warning']);
    expect(findings.map(doctorLine).join('')).not.toMatch(/\p{Cc}/u);
  });

  it('that is silent is given up, and the other ends are tried', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const short = await examine(await openPatient({ overrides: { ftp: { port, timeout: '300ms' } } }));
    expect(ills(short)).toEqual(['ftp connection fault', 'temporal server warning']);
    // One that drips on for longer than each of its answers may take, too.
    const long = await openPatient({ overrides: { ftp: { port, timeout: '1h' } } });
    const findings = await examine(long, { patience: 10_000 });
    expect(ills(findings)).toEqual(['ftp time fault', 'temporal server warning']);
    expect(findings.at(-1)).toMatchObject({ end: 'archive', verdict: 'ok' });
  });
});

it('the way to the shop’s own files is tried where there is one', async () => {
  const patientWith = async (cache: string) => {
    const { ftp } = (await openPatient()).sandbox;
    const access = { host: ftp.host, port: ftp.port, user: ftp.user, password: '${SHOP_FILES_PASSWORD}' };
    const shopFiles = { ...access, tls: 'none', cache };
    return openPatient({ overrides: { shopFiles }, environment: { SHOP_FILES_PASSWORD: ftp.password } });
  };
  expect(ills(await examineUnchanged(await patientWith('/export')))).toEqual(USUAL);
  const findings = await examineUnchanged(await patientWith('/httpdocs/var/cache'));
  expect(ills(findings, 'shopFiles')).toEqual(['shopFiles folder fault']);
});

it('in the shadow of the old gateway is written to by nobody, and says so', async () => {
  const WRITES = ['STOR', 'APPE', 'STOU', 'RNFR', 'RNTO', 'DELE', 'MKD', 'RMD', 'SITE', 'MFMT'];
  const patient = await openPatient({ overrides: { mode: 'shadow' } });
  const before = await standing(patient.sandbox.ftp.root);
  const findings = await examine(patient);
  expect(await standing(patient.sandbox.ftp.root)).toEqual(before);
  expect(patient.proxy.commands).toContain('LIST');
  expect(patient.proxy.commands.filter((verb) => WRITES.includes(verb))).toEqual([]);
  expect(ills(findings)).toEqual(['temporal server warning']);
  expect(findings.filter(({ end }) => end === 'ftp').map(doctorLine)).toEqual([
    expect.stringMatching(/^bon {7}FTP : .* nous laisse entrer$/),
    expect.stringContaining('(orders.folder)'),
    expect.stringContaining('(proshop.importFolder)'),
    expect.stringContaining('(proshop.exportFolder)'),
    'bon       FTP : aucun essai d’écriture : à l’ombre (mode: shadow), rien n’est écrit',
  ]);
});

/** A patient on one of the real servers. */
async function patientOn(tested: TestedFtpServer, name = 'IP:127.0.0.1', ca = authority.ca) {
  const root = await temporaryFolder();
  for (const folder of ['export', 'import']) await mkdir(join(root, folder));
  const tls = tested.tls ? { tls: authority.sign(name) } : {};
  const server = await tested.start({ root, ...VISITOR, ...tls });
  onTestFinished(() => server.stop());
  const { host, port, user, password } = server;
  const secure = tested.tls ? { tls: 'explicit', ca } : {};
  const patient = await openPatient({
    overrides: { ftp: { host, port, user, ...secure } },
    environment: { FTP_PASSWORD: password },
  });
  return { root, patient };
}

onEach([...REAL_SERVERS, FTPS_SERVER], (tested) => {
  it('finds what the server can, and leaves it as it was', async () => {
    const { root, patient } = await patientOn(tested);
    const importBefore = (await standing(root)).filter((entry) => entry.startsWith('import'));
    const findings = await examine(patient);
    const expected: Readonly<Record<string, readonly string[]>> = {
      // Debian's shows the time of its own town.
      vsftpd: ['ftp mlsd warning', 'ftp clock warning'],
      'proftpd over FTPS': ['ftp certificate warning'],
    };
    expect(ills(findings, 'ftp')).toEqual(expected[tested.name] ?? []);
    expect(await names(root)).toEqual(['export', 'import']);
    expect((await standing(root)).filter((entry) => entry.startsWith('import'))).toEqual(importBefore);
  });
});

onEach([FTPS_SERVER], (tested) => {
  it('tells a certificate for another name, or of an unknown authority, before the password is sent', async () => {
    const elsewhere = await patientOn(tested, 'DNS:elsewhere.example');
    expect(ills(await examine(elsewhere.patient), 'ftp')).toEqual(['ftp login fault']);
    const other = await createAuthority();
    onTestFinished(() => other.remove());
    const unknown = await patientOn(tested, 'IP:127.0.0.1', other.ca);
    expect(ills(await examine(unknown.patient), 'ftp')).toEqual(['ftp login fault']);
  });
});
