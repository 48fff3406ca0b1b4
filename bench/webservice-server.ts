// A shop on the simulated Webservice, in a process of its own. Prints its address and answers until it is killed.
import { once } from 'node:events';
import { addProduct } from '../sandbox/webservice/catalog.ts';
import { installShop } from '../sandbox/webservice/install-shop.ts';
import { startWebservice } from '../sandbox/webservice/server.ts';
import { eanOf, WEBSERVICE_KEY } from './files.ts';
import { PACE_OF_A_SHOP } from './pace.ts';

const [variants = '0', paced = 'paced'] = process.argv.slice(2);
const database = installShop();
for (let first = 0; first < Number(variants); first += 8) {
  addProduct(database, {
    reference: `MOD${first / 8}`,
    name: `Modele ${first / 8}`,
    price: 5_990,
    variants: Array.from({ length: Math.min(8, Number(variants) - first) }, (_, size) => ({
      size: `${36 + size}`,
      ean: eanOf(first + size),
      quantity: 5,
    })),
  });
}
const webservice = await startWebservice(database, {
  version: '8.2',
  key: WEBSERVICE_KEY,
  // A shop on two cores has enough of two requests at once.
  ...(paced === 'paced' ? { serviceTime: PACE_OF_A_SHOP, workers: 2 } : {}),
});
process.stdout.write(`${webservice.url}\n`);
await once(process, 'SIGTERM');
await webservice.stop();
