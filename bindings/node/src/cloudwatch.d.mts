export * from './cloudwatch.js';
