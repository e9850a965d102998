// The echo service's definition for JavaScript.
'use strict';
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const definition = loader.loadSync(path.join(__dirname, '../protos/echo.proto'), {
  keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true,
});
const { Echo } = grpc.loadPackageDefinition(definition).recsys.test;

module.exports = { grpc, Echo };
