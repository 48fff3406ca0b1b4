import type { Fault } from './faults.ts';

/** An answer that does not come from the Webservice. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const html = { 'Content-Type': 'text/html; charset=utf-8' };

export const REALM =
  'Basic realm="Welcome to PrestaShop Webservice, please enter the authentication key as the login. No password required."';

/** What is said when PHP has died. */
export const DEAD: PlainAnswer = { status: 500, headers: html, body: '' };
export const NO_KEY: PlainAnswer = {
  status: 401,
  headers: { ...html, 'WWW-Authenticate': REALM },
  body: '401 Unauthorized',
};
export const NOT_FOUND: PlainAnswer = { status: 404, headers: html, body: '<h1>404</h1>' };
/** nginx takes 8 KB of a request's first line. */
export const LONGEST_LINE = 8_192;
export const TOO_LONG: PlainAnswer = {
  status: 414,
  headers: { 'Content-Type': 'text/html' },
  body: [
    '<html>',
    '<head><title>414 Request-URI Too Large</title></head>',
    '<body>',
    '<center><h1>414 Request-URI Too Large</h1></center>',
    '<hr><center>nginx/1.22.1</center>',
    '</body>',
    '</html>',
    '',
  ].join('\r\n'),
};

export function redirect(location: string): PlainAnswer {
  return { status: 302, headers: { ...html, Location: location }, body: '' };
}

/** What is answered to a request that meets this fault and is not done; undefined for the faults that let it be done. */
export function faultAnswer(fault: Fault | undefined): PlainAnswer | undefined {
  switch (fault) {
    case 'status 500':
      return DEAD;
    case 'status 503':
      return { status: 503, headers: html, body: '<h1>503 Service Temporarily Unavailable</h1>' };
    case 'status 429':
      return {
        status: 429,
        headers: { ...html, 'Retry-After': '1' },
        body: '<h1>429 Too Many Requests</h1>',
      };
    case 'redirect':
      return redirect('http://shop.invalid/maintenance');
    case 'error text':
      return { status: 200, headers: html, body: PHP_ERROR };
    case 'hang':
    case 'reset':
    case 'answer lost':
    case 'done, status 500':
    case 'batch breaks':
    case 'slow':
    case 'product total':
    case undefined:
      return undefined;
    default:
      throw new Error(`Expected a fault, got ${String(fault satisfies never)}`);
  }
}

const PHP_ERROR =
  '<br />\n<b>Fatal error</b>:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in <b>/var/www/html/classes/db/Db.php</b> on line <b>425</b><br />\n';
