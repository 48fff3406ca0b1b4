import { type ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { FTPError } from 'basic-ftp';
import { DrizzleQueryError } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../src/domain/text-file.ts';
import { FAILURE, notYet, ShopAnswerError, shopBusy, toFailure } from '../src/failures.ts';

const ftp = (code: number, message: string) => new FTPError({ code, message: `${code} ${message}` });
const system = (code: string) => Object.assign(new Error(`it broke: ${code}`), { code });
const same = (text: string) => text;

describe('the table of failures', () => {
  it.each([
    // Replies as the servers give them: see docs of vsftpd, Pure-FTPd, ProFTPD.
    ['a time-out of the server', ftp(421, 'Timeout.'), FAILURE.transient],
    ['no data connection', ftp(425, "Can't open data connection."), FAILURE.transient],
    ['a transfer cut', ftp(426, 'Failure reading network stream.'), FAILURE.transient],
    ['a file in use', ftp(450, 'in use'), FAILURE.transient],
    ['a write error', ftp(451, 'Failure writing to local file.'), FAILURE.transient],
    ['a full disk', ftp(452, 'No space left on device'), FAILURE.transient],
    ['a wrong password', ftp(530, 'Login incorrect.'), FAILURE.refused],
    [
      'too many connections at ProFTPD',
      ftp(530, 'Sorry, the maximum number of clients (5) are already connected.'),
      FAILURE.transient,
    ],
    [
      'a login without TLS at Pure-FTPd',
      ftp(421, 'Sorry, cleartext sessions are not accepted on this server.'),
      FAILURE.refused,
    ],
    ['a missing file', ftp(550, 'Failed to open file.'), FAILURE.refused],
    ['no right to write', ftp(553, 'Could not create file.'), FAILURE.refused],
    ['a refused connection', system('ECONNREFUSED'), FAILURE.transient],
    ['a reset connection', system('ECONNRESET'), FAILURE.transient],
    ['a name that is not found', system('ENOTFOUND'), FAILURE.transient],
    ['a silent server', new Error('Timeout (control socket)'), FAILURE.transient],
    ['a certificate that nobody signed', system('DEPTH_ZERO_SELF_SIGNED_CERT'), FAILURE.refused],
    ['a certificate for another name', system('ERR_TLS_CERT_ALTNAME_INVALID'), FAILURE.refused],
    ['a full disk here', system('ENOSPC'), FAILURE.transient],
    ['a folder that is not ours', system('EACCES'), FAILURE.refused],
    ['a shop in trouble', new ShopAnswerError('HTTP 503', 503, false), FAILURE.transient],
    ['a shop with too much to do', new ShopAnswerError('HTTP 429', 429, false), FAILURE.transient],
    ['a shop that does not answer', new ShopAnswerError('no answer', null, true), FAILURE.transient],
    ['a shop that says no', new ShopAnswerError('HTTP 403', 403, false), FAILURE.refused],
    ['a redirect', new ShopAnswerError('HTTP 302', 302, false), FAILURE.refused],
    [
      'a file that does not fit',
      new FormatError({
        file: 'commandes',
        line: 1,
        setting: 'orders.file.delimiter',
        expected: '`;`',
        got: '`,`',
      }),
      FAILURE.badData,
    ],
    ['a defect', new TypeError('x is undefined'), FAILURE.transient],
  ])('sorts %s', (_name, error, type) => {
    const failure = toFailure(error, same) as ApplicationFailure;
    expect(failure.type).toBe(type);
    expect(failure.nonRetryable).toBe(type === FAILURE.refused || type === FAILURE.badData);
  });

  it('keeps what an activity sorted itself', () => {
    expect(toFailure(notYet('still there'), same)).toMatchObject({
      type: FAILURE.notYet,
      message: 'still there',
      nonRetryable: false,
      category: ApplicationFailureCategory.BENIGN,
    });
    expect(toFailure(notYet('nothing new', 60_000), same)).toMatchObject({ nextRetryDelay: 60_000 });
    expect(toFailure(shopBusy('busy'), same)).toMatchObject({ type: FAILURE.shopBusy, nonRetryable: true });
    const cancelled = new CancelledFailure('cancelled');
    expect(toFailure(cancelled, same)).toBe(cancelled);
  });

  it('tells the database’s own words, never the values of the query', () => {
    const error = new DrizzleQueryError(
      'insert into orders values ($1)',
      ['Lefèvre'],
      new Error('disk full'),
    );
    const failure = toFailure(error, same);
    expect(failure.message).toBe('The ledger: disk full');
    expect(failure.stack).not.toContain('Lefèvre');
  });

  it('keeps where an error came from', () => {
    expect(toFailure(new TypeError('x is undefined'), same).stack).toContain('failures.test.ts');
  });

  it('takes secrets out of every message, and hands no cause on that could hold one', () => {
    const conceal = (text: string) => text.replaceAll('hunter2', '(secret)');
    const error = new Error('login with hunter2 failed', { cause: new Error('hunter2') });
    const failure = toFailure(error, conceal) as ApplicationFailure;
    expect(failure.message).toBe('login with (secret) failed');
    expect(failure.cause).toBeUndefined();
    expect(failure.stack).not.toContain('hunter2');
    expect(toFailure(notYet('hunter2 still there'), conceal)).toMatchObject({
      message: '(secret) still there',
    });
  });
});
