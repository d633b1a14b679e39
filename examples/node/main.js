// A Hector plugin in JavaScript without an SDK: docs/protocol.md over gRPC's own library. It is a language model with a
// few rules in the manner of ELIZA (Weizenbaum 1966); what to replace is `answer`, and OPTIONS.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Metadata, Server, ServerCredentials, loadPackageDefinition, status} from '@grpc/grpc-js';
import {loadSync} from '@grpc/proto-loader';
import {HealthImplementation} from 'grpc-health-check';
import protobuf from 'protobufjs';

const {env} = process;
const NAME = 'eliza', DESCRIPTION = 'Answers as a listening therapist would, by a few rules.';
const OPTIONS = {
  otherwise: {type: 'string', default: 'Please go on.', description: 'What it says where no rule fits.'},
  pause: {type: 'number', default: 0, minimum: 0, description: 'Seconds before each word.'},
};
const RULES = [
  [/\bI need (.+)/i, 'Why do you need'],
  [/\bI am (.+)/i, 'How long have you been'],
  [/\bI (?:want|think|feel) (.+)/i, 'What if it were not'],
];
let options;

function answer(question) {
  for (const [pattern, opening] of RULES) {
    const found = pattern.exec(question.slice(0, 2000));
    if (found) return `${opening} ${found[1].replace(/\bmy\b/gi, 'your').replace(/[\s.!?]+$/, '')}?`;
  }
  return options.otherwise;
}

/** The answer, word by word, and then as a whole. Ends early when nobody waits for it. */
async function* generate(call) {
  const {prompt, model, input} = call.request;
  if (model && model !== NAME) throw failure(status.NOT_FOUND, `no model "${model.slice(0, 100)}": there is ${NAME}`);
  if (!options) throw failure(status.FAILED_PRECONDITION, 'its options were refused');
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort()); // the caller left, or its deadline passed
  const last = input?.messages.findLast((message) => message.role === 'ROLE_USER');
  const question = last ? last.parts.map((part) => part.text ?? '').join('') : prompt;
  const whole = answer(question).match(/\S+\s*/g) ?? [], {pause} = options;
  const words = whole.slice(0, input?.sampling?.max_tokens || whole.length);
  for (const text of words) {
    if (pause) await sleep(pause * 1000, null, {signal: gone.signal});
    yield {text};
  }
  const message = {role: 'ROLE_ASSISTANT', parts: [{text: words.join('')}]};
  const finish_reason = words.length < whole.length ? 'FINISH_REASON_LENGTH' : 'FINISH_REASON_STOP';
  const usage = {prompt_tokens: (question.match(/\S+/g) ?? []).length, completion_tokens: words.length};
  yield {done: true, usage, output: {message, model: NAME, finish_reason}};
}

function configure(given) {
  const wrong = Object.entries(given).flatMap(([field, value]) => {
    const {type, minimum} = Object.hasOwn(OPTIONS, field) ? OPTIONS[field] : {};
    if (!type) return [{field, description: `unknown option: there are ${Object.keys(OPTIONS).join(', ')}`}];
    if (typeof value !== type) return [{field, description: `is not a ${type}`}];
    return value < minimum ? [{field, description: `is less than ${minimum}`}] : [];
  });
  if (wrong.length) throw badRequest(wrong);
  options = Object.fromEntries(Object.entries(OPTIONS).map(([name, {default: own}]) => [name, given[name] ?? own]));
}

// Options: plain values here, a google.protobuf.Struct on the wire.
const KINDS = {string: 'stringValue', number: 'numberValue', boolean: 'boolValue'};
const each = (object, change) => Object.fromEntries(Object.entries(object).map(([name, it]) => [name, change(it)]));
const toValue = (value) => typeof value === 'object' ? {structValue: toStruct(value)} : {[KINDS[typeof value]]: value};
const toStruct = (object) => ({fields: each(object, toValue)});
const fromStruct = (struct) => each(struct?.fields ?? {}, fromValue);
const fromValue = ({kind, [kind]: value}) => kind === 'structValue' ? fromStruct(value)
  : kind === 'listValue' ? value.values.map(fromValue) : kind === 'nullValue' ? null : value;

// Statuses: a code, words, and of options that are refused the fields.
const failure = (code, words, metadata) => Object.assign(new Error(words), {code, details: words, metadata});
const rpc = protobuf.parse(`syntax = "proto3"; package google.rpc;
  message Any { string typeUrl = 1; bytes value = 2; } message BadRequest { repeated Violation fieldViolations = 1; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Violation { string field = 1; string description = 2; }`).root;
const encoded = (type, value) => Buffer.from(rpc.lookupType(type).encode(value).finish());

function badRequest(fieldViolations) {
  const message = fieldViolations.map(({field, description}) => `${field}: ${description}`).join('; ');
  const any = {typeUrl: 'type.googleapis.com/google.rpc.BadRequest', value: encoded('BadRequest', {fieldViolations})};
  const metadata = new Metadata(), code = status.INVALID_ARGUMENT;
  metadata.set('grpc-status-details-bin', encoded('Status', {code, message, details: [any]}));
  return failure(code, message, metadata);
}

function told(error) { // of a bug its kind alone: its words may hold what is secret
  if (error.name === 'AbortError') return failure(status.CANCELLED, 'nobody waits');
  if (error.code in status) return error;
  log('error', error.stack);
  return failure(status.INTERNAL, error.name);
}

const unary = (handle) => async (call, respond) => {
  try { respond(null, await handle(call)); } catch (error) { respond(told(error)); }
};
const plugin = {
  Describe: unary(() => ({
    name: NAME, version: '0.1.0', description: DESCRIPTION, services: ['hector.plugin.v1.LLMProvider'],
    config_schema: toStruct({type: 'object', properties: OPTIONS, additionalProperties: false}),
  })),
  Configure: unary((call) => { configure(fromStruct(call.request.config)); return {}; }),
};
const llm = { // CallTool is not here: the library answers UNIMPLEMENTED
  GenerateText: unary(async (call) => {
    for await (const {done, usage, output} of generate(call)) {
      if (done) return {text: output.message.parts[0].text, usage, output};
    }
  }),
  StreamText: async (call) => {
    try {
      for await (const piece of generate(call)) call.write(piece);
      call.end();
    } catch (error) { call.emit('error', told(error)); }
  },
  ListModels: unary(() => ({models: [{id: NAME, description: DESCRIPTION}]})),
};

const server = new Server({'grpc.max_receive_message_length': 64 << 20}); // bytes; the library's own limit is 4 MiB
const includeDirs = [env.PROTO_DIR ?? '../../proto']; // a host starts a plugin in the folder of its plugin.yaml
const protos = loadSync(['hector/plugin/v1/plugin.proto', 'hector/plugin/v1/llm.proto'],
  {includeDirs, keepCase: true, enums: String, oneofs: true, defaults: true});
const {Plugin, LLMProvider} = loadPackageDefinition(protos).hector.plugin.v1;
server.addService(Plugin.service, plugin);
server.addService(LLMProvider.service, llm);
new HealthImplementation({'': 'SERVING', plugin: 'SERVING'}).addToServer(server);
const empty = {requestDeserialize: () => ({}), responseSerialize: () => Buffer.alloc(0)};
const shutdown = {path: '/plugin.GRPCController/Shutdown', requestStream: false, responseStream: false, ...empty};
server.addService({Shutdown: shutdown}, {Shutdown: (call, respond) => { respond(null, {}); stop(); }});

const stop = () => { server.tryShutdown(() => process.exit(0)); setTimeout(() => process.exit(0), 1000); };
const log = (level, message) => console.error(JSON.stringify({'@level': level, '@message': message, '@module': NAME}));
const exit = (words) => { console.error(words); process.exit(1); };
const versions = env.PLUGIN_PROTOCOL_VERSIONS ?? '1';
if (env.HECTOR_PLUGIN !== 'hector_plugin_v1') exit(`${NAME} is a Hector plugin: name its folder in a configuration`);
if (!versions.split(',').includes('1')) exit(`${NAME} speaks protocol 1, this host ${versions}`);
if (env.PLUGIN_CLIENT_CERT) exit(`${NAME} makes no certificates: it serves on private unix sockets alone`);
process.on('SIGTERM', stop).on('SIGINT', () => {}); // Ctrl-C is for the host
const parent = process.ppid; // Node cannot wait for the reader of its output to leave, but sees that its parent has
setInterval(() => process.ppid === parent || process.exit(0), 250);
try { configure(JSON.parse(env.HECTOR_PLUGIN_CONFIG ?? '{}')); } catch (error) { log('warn', error.message); }
const socket = path.join(env.PLUGIN_UNIX_SOCKET_DIR ?? os.tmpdir(), `${NAME}-${process.pid}`);
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error) exit(`${NAME} cannot listen on ${socket}: ${error.message}`);
  fs.writeSync(1, `1|1|unix|${socket}|grpc|${env.PLUGIN_MULTIPLEX_GRPC ? '|false' : ''}\n`);
});
