// A customer made of the npm package textlk-node, whose vendor runs the product that TextBoost runs:
// node shop.mjs ORIGIN KEY RECIPIENT SENDER. The package has its vendor's address written into it; here only the origin
// is ours. Says what the package returns, or throws.
import { sendSMS } from 'textlk-node';

const [origin, apiToken, phoneNumber, senderId] = process.argv.slice(2);
const fetchThere = globalThis.fetch;
globalThis.fetch = (address) => {
  const url = new URL(address);
  return fetchThere(`${origin}${url.pathname}${url.search}`);
};

try {
  const answer = await sendSMS({ phoneNumber, message: 'Hello & goodbye, 100 %', apiToken, senderId });
  console.log(JSON.stringify({ answer }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
}
