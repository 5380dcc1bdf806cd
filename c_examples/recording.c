/* Requests are recorded beside hpd_observe, a JSON object a line, for `hotpart report` to read. To a file, if one is
 * named:
 *
 *     recording requests.jsonl && hotpart report --key events=id requests.jsonl
 *
 * The lines hold what was sent and answered, keys and all. */
#include "check.h"
#include "hotpart.h"

#include <string.h>
#include <time.h>

#define NO_ANSWER 0

static const char PUT[] = "{\"TableName\":\"events\",\"Item\":{\"id\":{\"S\":\"EVENTS\"}}}";
static const char PRETTY[] = "{\n  \"ConsumedCapacity\": {\"TableName\": \"events\", \"CapacityUnits\": 1.0}\n}";
static const char THROTTLED[] =
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException\",\"ThrottlingReasons\":["
    "{\"reason\":\"TableWriteKeyRangeThroughputExceeded\","
    "\"resource\":\"arn:aws:dynamodb:eu-west-1:123456789012:table/events\"}]}";
static const char PAGE[] = "<html>\n\"Bad gateway\"</html>";

static void write_string(FILE *file, const char *text, size_t len) {
  putc('"', file);
  for (size_t i = 0; i < len; ++i) {
    unsigned char byte = (unsigned char)text[i];
    if (byte == '"' || byte == '\\') {
      putc('\\', file);
      putc(byte, file);
    } else if (byte < ' ') {
      fprintf(file, "\\u%04x", byte);
    } else {
      putc(byte, file);
    }
  }
  putc('"', file);
}

/* A body as it is, if it begins as a JSON object, with spaces for line ends: they are between its tokens, as no string
 * has any. What a proxy answers becomes a string. */
static void write_body(FILE *file, const char *body, size_t len) {
  size_t first = 0;
  while (first < len && memchr(" \t\r\n", body[first], 4) != NULL) {
    ++first;
  }
  if (len == 0) {
    fputs("null", file);
  } else if (first < len && body[first] == '{') {
    for (size_t i = 0; i < len; ++i) {
      putc(body[i] == '\n' || body[i] == '\r' ? ' ' : body[i], file);
    }
  } else {
    write_string(file, body, len);
  }
}

/* Writes a line, in one piece if the file's buffer has room for it. Returns whether it could: in a program that is no
 * reason to fail a request. */
static int record(FILE *file, int64_t time_ms, const hpd_exchange *exchange) {
  const char *operation = exchange->operation;
  size_t operation_len = exchange->operation_len;
  for (size_t i = 0; i < exchange->operation_len; ++i) {
    if (exchange->operation[i] == '.') { /* DynamoDB_20120810.PutItem */
      operation = exchange->operation + i + 1;
      operation_len = exchange->operation_len - i - 1;
    }
  }
  fprintf(file, "{\"time_ms\":%" PRId64 ",\"operation\":", time_ms);
  write_string(file, operation, operation_len);
  fputs(",\"request\":", file);
  write_body(file, exchange->request, exchange->request_len);
  fputs(",\"response\":", file);
  write_body(file, exchange->response, exchange->response_len);
  fprintf(file, ",\"http_status\":%" PRId32, exchange->http_status);
  if (exchange->model_len > 0) {
    fputs(",\"model\":", file);
    write_string(file, exchange->model, exchange->model_len);
  }
  fputs("}\n", file);
  return fflush(file) == 0 && !ferror(file);
}

/* One attempt at a request, with its answer, as the program's own client hands it over. */
static int64_t observe(hpd_detector *detector, FILE *file, int64_t time_ms, int32_t status, const char *response) {
  hpd_exchange exchange;
  memset(&exchange, 0, sizeof exchange);
  exchange.struct_size = sizeof exchange;
  exchange.operation = "DynamoDB_20120810.PutItem";
  exchange.operation_len = strlen(exchange.operation);
  exchange.request = PUT;
  exchange.request_len = strlen(PUT);
  exchange.response = response;
  exchange.response_len = response == NULL ? 0 : strlen(response);
  exchange.http_status = status;
  CHECK(record(file, time_ms, &exchange));
  return hpd_observe(detector, &exchange);
}

/* Checks that the next line of a file is the one whose parts these are. */
static void expect_line(FILE *file, int64_t time_ms, const char *response, int32_t status) {
  char line[1024], expected[1024];
  snprintf(expected, sizeof expected,
           "{\"time_ms\":%" PRId64 ",\"operation\":\"PutItem\",\"request\":%s,\"response\":%s,\"http_status\":%" PRId32
           "}\n",
           time_ms, PUT, response, status);
  CHECK(fgets(line, sizeof line, file) != NULL);
  CHECK(strcmp(line, expected) == 0);
}

int main(int argc, char **argv) {
  static char buffer[1 << 16];
  const char *id = "id";
  const size_t id_len = 2;
  hpd_detector *detector;
  int64_t now_ms = (int64_t)time(NULL) * 1000;
  FILE *file = argc > 1 ? fopen(argv[1], "a+") : tmpfile();
  CHECK(file != NULL);
  CHECK_EQUAL(setvbuf(file, buffer, _IOFBF, sizeof buffer), 0);
  CHECK_EQUAL(fseek(file, 0, SEEK_END), 0);
  long start = ftell(file);

  CHECK_EQUAL(hpd_new(500, 1500, 60, NULL, NULL, &detector), HPD_OK);
  CHECK_EQUAL(hpd_set_key_schema(detector, "events", 6, NULL, 0, &id, &id_len, 1), HPD_OK);
  CHECK_EQUAL(observe(detector, file, now_ms, 200, PRETTY), 1);
  CHECK_EQUAL(observe(detector, file, now_ms + 1, 400, THROTTLED), 0);
  CHECK_EQUAL(observe(detector, file, now_ms + 2, NO_ANSWER, NULL), 1); /* it may have run */
  CHECK_EQUAL(observe(detector, file, now_ms + 3, 502, PAGE), 1);
  CHECK_EQUAL(hpd_get_write_count(detector, "events", 6, "EVENTS", 6), 3);
  hpd_free(detector);

  CHECK_EQUAL(fseek(file, start, SEEK_SET), 0);
  expect_line(file, now_ms, "{   \"ConsumedCapacity\": {\"TableName\": \"events\", \"CapacityUnits\": 1.0} }", 200);
  expect_line(file, now_ms + 1, THROTTLED, 400);
  expect_line(file, now_ms + 2, "null", NO_ANSWER);
  expect_line(file, now_ms + 3, "\"<html>\\u000a\\\"Bad gateway\\\"</html>\"", 502);
  CHECK_EQUAL(fclose(file), 0);
  puts("4 requests are recorded as they were observed");
  return EXIT_SUCCESS;
}
