// OpenAI's Agents SDK takes a telephone call: its own `buildInitialConfig` is what the call is accepted with, and its SIP
// transport watches it, uses a tool and interrupts.

import {OpenAIRealtimeSIP, RealtimeAgent, RealtimeSession, tool} from '@openai/agents-realtime';
import {createServer} from 'node:http';
import {setTimeout as sleep} from 'node:timers/promises';
import {z} from 'zod';

const {SIMULATOR_URL: simulator, REALTIME_URL: realtime, OPENAI_API_KEY: apiKey, WEBHOOK_PORT: port} = process.env;
const seen = [], calls = [], errors = [];
let failed = false;

const check = (what, holds, found) => {
  failed ||= !holds;
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${holds || found === undefined ? '' : ` (${JSON.stringify(found)})`}`);
};
const until = async (holds, seconds = 15) => {
  for (const end = Date.now() + 1000 * seconds; !holds() && Date.now() < end;) await sleep(20);
  return Boolean(holds());
};
const count = type => seen.filter(each => each === type).length;

// The webhook: what verifies it is OpenAI's Node.js package, which is not here.
const delivered = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', part => { body += part; });
  request.on('end', () => { delivered.push(JSON.parse(body)); response.end(); });
}).listen(Number(port), '127.0.0.1');

const findOrder = tool({
  name: 'find_order',
  description: 'Looks an order up.',
  parameters: z.object({order: z.string()}),
  execute: async ({order}) => { calls.push(order); return 'ready'; },
});
const agent = new RealtimeAgent({name: 'Shop', instructions: 'You answer calls for a bicycle shop.', tools: [findOrder]});

const script = ['hear-out', 'say caller-question', 'hear-out', 'say caller-directions', 'hear-for 1500',
  'say caller-interrupts', 'hear-out'];
const headers = {'content-type': 'application/json', authorization: `Bearer ${apiKey}`};
const placed = await fetch(`${simulator}/sim/sip/calls`,
  {method: 'POST', headers, body: JSON.stringify({from: '+35699000001', dialled: '+35621000000', script})});
const {call_id: callId} = await placed.json();
check('the webhook comes', await until(() => delivered.some(event => event.data.call_id === callId)), delivered);

const options = {model: 'gpt-realtime-2.1'};
const config = await OpenAIRealtimeSIP.buildInitialConfig(agent, options);
const accepted = await fetch(`${simulator}/v1/realtime/calls/${callId}/accept`,
  {method: 'POST', headers, body: JSON.stringify(config)});
check('its own configuration is accepted', accepted.status === 200, [accepted.status, await accepted.text()]);
await sleep(500); // the sideband opens shortly after the accept

const session = new RealtimeSession(agent, {transport: new OpenAIRealtimeSIP(), ...options});
session.on('error', error => errors.push(error.error ?? error));
session.on('transport_event', event => seen.push(event.type));
await session.connect({apiKey, callId, url: `${realtime}?call_id=${callId}`});
check('connected', await until(() => seen.includes('session.updated'), 5), seen);

session.transport.sendEvent({type: 'response.create'});
check('greeting is heard', await until(() => count('output_audio_buffer.stopped') === 1), seen);
check('turn is answered', await until(() => count('output_audio_buffer.stopped') === 2), seen);
check('the caller interrupts', await until(() => seen.includes('output_audio_buffer.cleared')), seen);
check('tool called', await until(() => calls.includes('427')), calls);
check("tool's answer begins", await until(() => count('output_audio_buffer.started') === 4), seen);
await sleep(500);
session.interrupt();
check('the SDK interrupts', await until(() => count('output_audio_buffer.cleared') === 2, 5), seen);
check('no sound comes', !seen.includes('response.output_audio.delta'));
check('nothing refused', !errors.length, errors);
session.close();
const hungUp = await fetch(`${simulator}/v1/realtime/calls/${callId}/hangup`, {method: 'POST', headers});
check('hangup', hungUp.status === 200, hungUp.status);
await sleep(600);
server.close();
process.exit(failed ? 1 : 0);
