// OpenAI's Agents SDK holds a conversation. Its own defaults decide: what it configures, when it cuts an answer short,
// that it asks for one response after a hosted MCP call.

import {hostedMcpTool} from '@openai/agents-core';
import {RealtimeAgent, RealtimeSession, tool} from '@openai/agents-realtime';
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {z} from 'zod';

const FRAME = 2400; // bytes in 50 ms
const clip = name => readFileSync(`fixtures/speech/${name}.wav`).subarray(44);
let heard = Buffer.alloc(0), unsaid = Buffer.alloc(0), failed = false;
const seen = [], calls = [], errors = [], transcripts = [];

const check = (what, holds, found) => {
  failed ||= !holds;
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${holds || found === undefined ? '' : ` (${JSON.stringify(found)})`}`);
};
const until = async (holds, seconds = 10) => {
  for (const end = Date.now() + 1000 * seconds; !holds() && Date.now() < end;) await sleep(20);
  return Boolean(holds());
};
const contains = (name, bytes) => heard.includes(clip(name).subarray(0, bytes));
const say = name => { unsaid = Buffer.concat([unsaid, clip(name)]); return until(() => !unsaid.length); };

const findOrder = tool({
  name: 'find_order',
  description: 'Looks an order up.',
  parameters: z.object({order: z.string()}),
  execute: async ({order}) => { calls.push(order); return 'ready'; },
});
const agent = new RealtimeAgent({
  name: 'Shop',
  instructions: 'You answer calls for a bicycle shop.',
  tools: [findOrder, hostedMcpTool({serverLabel: 'shop', serverUrl: 'https://mcp.example.com'})],
});
const session = new RealtimeSession(agent, {transport: 'websocket', model: 'gpt-realtime-2.1'});
session.on('audio', ({data}) => { heard = Buffer.concat([heard, Buffer.from(data)]); });
session.on('error', error => errors.push(error.error ?? error));
session.on('audio_interrupted', () => seen.push('audio_interrupted'));
session.on('mcp_tool_call_completed', (_context, _agent, call) => calls.push(call.name));
session.on('transport_event', event => {
  seen.push(event.type);
  if (event.type === 'response.done') seen.push(event.response.status);
  if (event.type === 'conversation.item.input_audio_transcription.completed') transcripts.push(event.transcript);
});

await session.connect({apiKey: process.env.OPENAI_API_KEY, url: `${process.env.REALTIME_URL}?model=gpt-realtime-2.1`});
check('connected', await until(() => seen.includes('session.updated'), 5), seen);
let due = performance.now();
const speak = () => {
  const sound = Buffer.alloc(FRAME);
  unsaid.copy(sound);
  unsaid = unsaid.subarray(FRAME);
  session.sendAudio(sound.buffer.slice(sound.byteOffset, sound.byteOffset + FRAME));
  setTimeout(speak, (due += 50) - performance.now());
};
speak();

session.transport.sendEvent({type: 'response.create'});
check('greeting', await until(() => contains('agent-greeting')));
await sleep(1000);
await say('caller-question');
check('turn', await until(() => contains('agent-answer')));
check('transcript', await until(() => transcripts.length), transcripts);
await say('caller-directions');
check('long answer begins', await until(() => contains('agent-long', 24000)));
await sleep(300);
await say('caller-interrupts');
check('barge-in stops the sound', await until(() => seen.includes('audio_interrupted'), 5));
check('barge-in cancels the response', await until(() => seen.includes('cancelled'), 5));
check('truncation', await until(() => seen.includes('conversation.item.truncated'), 5));
check('tool called', await until(() => calls.includes('427')), calls);
check("tool's answer", await until(() => contains('agent-order')));
check('MCP tools listed', session.availableMcpTools.some(it => it.name === 'opening_hours'), session.availableMcpTools);
await say('caller-thanks');
check('MCP call', await until(() => calls.includes('opening_hours')), calls);
check("MCP call's answer", await until(() => contains('agent-closing')));
await sleep(1000);
check('one MCP call', calls.filter(it => it === 'opening_hours').length === 1, calls);
check('nothing refused', errors.length === 0, errors);
session.close();
process.exit(failed ? 1 : 0);
