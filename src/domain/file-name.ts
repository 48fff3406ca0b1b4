/** True for a name that cannot lead to another folder, nor be more than one line of an FTP command. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\p{Cc}\p{Cs}]/u.test(name);
}
