// What an empty shop starts with: a country, the French rates of VAT, and a way to ship and to pay.
module.exports = {
  defaultLanguage: 'fr',
  defaultZone: 'Europe',
  countries: [{ name: 'France', code: 'FR', zone: 'Europe' }],
  taxRates: [{ name: 'TVA 20', percentage: 20 }, { name: 'TVA 10', percentage: 10 }, { name: 'TVA 5.5', percentage: 5.5 }],
  shippingMethods: [{ name: 'Colissimo', price: 500 }],
  paymentMethods: [{ name: 'Carte', handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] } }],
  collections: [],
};
