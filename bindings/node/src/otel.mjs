// The same objects as CommonJS has, so that a program that loads both has one of each class.
export * from './otel.js';
