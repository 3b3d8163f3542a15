// A customer made of the npm package smpp: node customer.js PORT TEXTS
// TEXTS: a JSON object of texts by recipient. Ends when every segment was answered and receipted.
'use strict';
const smpp = require('smpp');

const [port, texts] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const say = (document) => process.stdout.write(JSON.stringify(document) + '\n');

const session = smpp.connect({ url: `smpp://127.0.0.1:${port}` });
session.on('error', (error) => { say({ error: String(error) }); process.exit(1); });

let open = 0;
let receipted = 0;

function leaveWhenDone() {
  if (open === 0 && receipted === submits.length) {
    session.unbind((answer) => {
      say({ unbound: { status: answer.command_status } });
      session.close(() => process.exit(0));
    });
  }
}

// The package encodes but does not cut: segments are cut here by characters, far below what a segment can hold.
function segmentsOf(recipient, text) {
  const isWide = /[^\x20-\x7e£$èÄñ€]/.test(text);
  const [whole, each] = isWide ? [70, 60] : [150, 100];
  const common = { destination_addr: recipient, source_addr: 'Node', registered_delivery: 1, data_coding: isWide ? 8 : 0 };
  if (text.length <= whole) return [{ ...common, short_message: text }];
  const characters = Array.from(text);
  const cut = [];
  while (characters.length) {
    let piece = '';
    while (characters.length && piece.length < each) piece += characters.shift();
    cut.push(piece);
  }
  return cut.map((message, index) => ({
    ...common,
    esm_class: smpp.ESM_CLASS.UDH_INDICATOR,
    short_message: { udh: Buffer.from([5, 0, 3, 77, cut.length, index + 1]), message },
  }));
}

const submits = Object.entries(texts).flatMap(([recipient, text]) => segmentsOf(recipient, text));

session.on('connect', () => {
  session.bind_transceiver({ system_id: 'node', password: 'secret', interface_version: 0x34 }, (answer) => {
    say({ bound: { status: answer.command_status, system_id: answer.system_id } });
    for (const submit of submits) {
      open += 1;
      session.submit_sm(submit, (taken) => {
        open -= 1;
        say({ answer: { status: taken.command_status, id: taken.message_id } });
        leaveWhenDone();
      });
    }
  });
});

session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  const id = pdu.receipted_message_id;
  say({ receipt: { esm_class: pdu.esm_class, text: pdu.short_message.message, id, state: pdu.message_state } });
  receipted += 1;
  leaveWhenDone();
});
