// The webshop's settings, all from the environment; the custom fields are the retailer's, as the connector's options name them.
const path = require('path');
const { DefaultLogger, LogLevel, dummyPaymentHandler } = require('@vendure/core');

const need = (name) => {
  if (!process.env[name]) throw new Error(`set ${name}`);
  return process.env[name];
};
// The consent has no default: who was never asked has said neither yes nor no.
const optional = (name, type) => ({ name, type, nullable: true });

exports.config = {
  apiOptions: {
    hostname: '127.0.0.1', port: Number(need('VENDURE_PORT')), adminApiPath: 'admin-api', shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: ['bearer', 'api-key'],
    superadminCredentials: { identifier: need('VENDURE_USER'), password: need('VENDURE_PASSWORD') },
    sessionDuration: process.env.VENDURE_SESSION || '1y',
    requireVerification: false,
  },
  dbConnectionOptions: {
    type: 'postgres', host: need('PGHOST'), port: Number(need('PGPORT')), username: need('PGUSER'),
    database: need('PGDATABASE'), synchronize: true, logging: false,
  },
  importExportOptions: { importAssetsDir: path.join(__dirname) },
  logger: new DefaultLogger({ level: LogLevel.Info }),
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  customFields: {
    ProductVariant: [optional('ean', 'string')],
    Customer: [
      optional('emailConsent', 'boolean'), optional('emailConsentAt', 'datetime'),
      optional('emailConsentProof', 'string'), optional('loyaltyCard', 'string'), optional('loyaltyPoints', 'int'),
    ],
  },
  plugins: [],
};
