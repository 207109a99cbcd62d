// A real OpenID provider for the black-box tests: `oidc-provider` on loopback, with keys that a test can rotate.
//
//   node provider.mjs FOLDER PORT     FOLDER holds node_modules (scripts/peers oidc); port 0: the system chooses
//
// Access tokens are JWTs, by the client_credentials grant (client "robot", secret "robot-secret"), for the resource
// urn:sekisho:<algorithm>, which says what they are signed with. Beside the provider's own endpoints:
//
//   PUT /-/keys     [private JWK, …]: published and used from now on; the first of an algorithm signs
//   GET /-/counts   {"/jwks": 3, …}: how often each path was asked for
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, wanted] = process.argv.slice(2);
const entry = createRequire(`${folder}/package.json`).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(entry));

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA'];

const counts = {};
let provider;

const configuration = (keys) => ({
  jwks: { keys },
  clients: [{
    client_id: 'robot', client_secret: 'robot-secret', grant_types: ['client_credentials'], redirect_uris: [],
    response_types: [], id_token_signed_response_alg: keys[0].alg,
  }],
  enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
  scopes: ['objects:read', 'objects:write'],
  extraTokenClaims: () => ({ realm_access: { roles: ['reader', 'guest'] }, 'https://sekisho.test/team': 'blue' }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'objects:read objects:write', audience: 'sekisho', accessTokenTTL: 300, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resource.split(':').at(-1) } },
      }),
    },
  },
});

const body = async (request) => {
  let text = '';
  for await (const piece of request) text += piece;
  return JSON.parse(text);
};

const server = createServer(async (request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/-/counts') {
    response.end(JSON.stringify(counts));
  } else if (path === '/-/keys') {
    try {
      provider = new Provider(`http://127.0.0.1:${server.address().port}`, configuration(await body(request)));
      response.end('{}');
    } catch (error) {
      response.statusCode = 400;
      response.end(String(error));
    }
  } else if (provider) {
    counts[path] = (counts[path] ?? 0) + 1;
    provider.callback()(request, response);
  } else {
    response.statusCode = 503;
    response.end();
  }
});

server.listen(Number(wanted), '127.0.0.1', () => console.log('listening'));
