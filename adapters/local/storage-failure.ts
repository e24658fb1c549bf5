import { Failure } from '../../core/failure.ts';

/** SQLite result codes (sqlite.org/rescode.html) that say the statement was wrong, not the disk: 1 error, 19 constraint, 20 mismatch, 21 misuse, 25 range. */
const OUR_MISTAKE = new Set([1, 19, 20, 21, 25]);
const DISK_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'EFBIG']);

/** A page of the file is not what it was. */
const SQLITE_CORRUPT = 11;

/** `storage-unavailable` if the disk or the database refused, `record-damaged` if a page is; anything else as it is. */
export function asStorageFailure(error: unknown): unknown {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof errcode === 'number' && (errcode & 0xff) === SQLITE_CORRUPT) {
    return new Failure('record-damaged', {}, { cause: error });
  }
  const isDisk = typeof code === 'string' && DISK_CODES.has(code);
  const isDatabase = typeof errcode === 'number' && !OUR_MISTAKE.has(errcode & 0xff);
  return isDisk || isDatabase ? new Failure('storage-unavailable', {}, { cause: error }) : error;
}
