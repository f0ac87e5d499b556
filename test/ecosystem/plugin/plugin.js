exports.required = require('lahja')
