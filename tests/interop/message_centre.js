// A message centre made of the npm package smpp: takes every segment, answers, reports it delivered.
// Says what happens on standard output, one JSON document for each line.
'use strict';
const smpp = require('smpp');

const say = (document) => process.stdout.write(JSON.stringify(document) + '\n');
const two = (number) => String(number).padStart(2, '0');

function receiptDate() {
  const now = new Date();
  const fields = [now.getUTCFullYear() % 100, now.getUTCMonth() + 1, now.getUTCDate(), now.getUTCHours(), now.getUTCMinutes()];
  return fields.map(two).join('');
}

let taken = 0;

function receiptOf(pdu, id) {
  const date = receiptDate();
  return {
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    data_coding: 0,
    short_message:
      `id:${id} sub:001 dlvrd:001 submit date:${date} done date:${date} stat:DELIVRD err:000 text:`,
  };
}

const server = smpp.createServer((session) => {
  session.on('error', (error) => say({ error: String(error) }));
  session.on('bind_transceiver', (pdu) => {
    const isKnown = pdu.system_id === 'rig' && pdu.password === 'rig';
    session.send(pdu.response({ command_status: isKnown ? 0 : smpp.ESME_RINVPASWD, system_id: 'node' }));
    say({ bound: { system_id: pdu.system_id, interface_version: pdu.interface_version } });
  });
  session.on('submit_sm', (pdu) => {
    taken += 1;
    const id = `node-${taken}`;
    const header = pdu.short_message.udh ? Buffer.concat([].concat(pdu.short_message.udh)) : Buffer.alloc(0);
    say({
      submit: {
        to: pdu.destination_addr, from: pdu.source_addr, data_coding: pdu.data_coding,
        registered_delivery: pdu.registered_delivery, header: header.toString('hex'),
        text: pdu.short_message.message,
      },
    });
    // Every second receipt comes before its answer.
    if (taken % 2) session.send(pdu.response({ message_id: id }));
    session.deliver_sm(receiptOf(pdu, id), (answer) => say({ receipt: { id, status: answer.command_status } }));
    if (taken % 2 === 0) session.send(pdu.response({ message_id: id }));
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
    say({ unbound: {} });
  });
});

server.listen(0, '127.0.0.1', () => say({ listening: { port: server.address().port } }));
