// Makes the tables and fills in what an empty shop starts with; run once.
const { bootstrap } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { config } = require('./config');

populate(() => bootstrap(config), require('./initial-data'))
  .then((app) => app.close())
  .then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
