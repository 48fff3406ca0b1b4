import { Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';

/** Where the FTP server is, and who enters. */
export interface FtpAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Runs one piece of work on a connection of its own, closed in every case. */
export async function withFtp<T>(access: FtpAccess, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(10_000);
  try {
    await client.access({ ...access, secure: false });
    return await work(client);
  } finally {
    client.close();
  }
}

/** Downloads a whole file into memory. */
export async function download(client: Client, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await client.downloadTo(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    }),
    path,
  );
  return Buffer.concat(chunks);
}

/** Uploads bytes straight to their final name, as all of the shop's and Proshop's programs do. */
export async function upload(client: Client, path: string, bytes: Buffer): Promise<void> {
  await client.uploadFrom(Readable.from([bytes], { objectMode: false }), path);
}
