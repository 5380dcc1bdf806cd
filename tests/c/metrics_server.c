/* Serves the metrics of a detector on 127.0.0.1, on a port that it prints, until it is killed; with an argument it only
 * prints the metrics: prometheus or openmetrics. */
#include "check.h"
#include "hotpart.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static hpd_detector *made(void) {
  static const char hostile[] = "\"quoted\" \\ {a=\"b\"}\n\x1b[31m\xff";
  hpd_options options;
  hpd_detector *detector;
  hpd_record record;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = options.reads_threshold = 10;
  options.window_seconds = 60;
  options.clock = HPD_CLOCK_MANUAL;
  options.flags = HPD_FLAG_CAPACITY;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  memset(&record, 0, sizeof record);
  record.table = "events";
  record.table_len = 6;
  record.pk = "EVENTS";
  record.pk_len = 6;
  record.amount = 1235; /* half units */
  record.operation = HPD_READ;
  CHECK_EQUAL(hpd_record_full(detector, &record, sizeof record, NULL), 1235);
  CHECK_EQUAL(hpd_record_write(detector, hostile, sizeof hostile - 1, hostile, sizeof hostile - 1), 2);
  CHECK_EQUAL(hpd_record_throttle(detector, "events", 6, "EVENTS", 6, HPD_READ, HPD_THROTTLE_KEY_RANGE), 1);
  return detector;
}

static void send_all(int to, const char *data, size_t len) {
  while (len > 0) {
    ssize_t sent = write(to, data, len);
    if (sent <= 0) return;
    data += sent;
    len -= (size_t)sent;
  }
}

int main(int argc, char **argv) {
  hpd_detector *detector = made();
  hpd_metrics_options options;
  hpd_text *text;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.hottest = 5;
  if (argc > 1) {
    options.flags = strcmp(argv[1], "openmetrics") == 0 ? HPD_METRICS_OPEN_METRICS : 0;
    CHECK_EQUAL(hpd_metrics_take(detector, &options, &text), HPD_OK);
    fwrite(hpd_text_data(text), 1, hpd_text_len(text), stdout);
    hpd_text_free(text);
    hpd_free(detector);
    return EXIT_SUCCESS;
  }
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(listener >= 0);
  CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
  CHECK_EQUAL(listen(listener, 8), 0);
  CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &len), 0);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    char request[4096];
    int peer = accept(listener, NULL, NULL);
    if (peer < 0) continue;
    if (read(peer, request, sizeof request) > 0 && hpd_metrics_take(detector, NULL, &text) == HPD_OK) {
      char head[128];
      int head_len = snprintf(head, sizeof head,
                              "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\n"
                              "Connection: close\r\n\r\n",
                              hpd_text_len(text));
      send_all(peer, head, (size_t)head_len);
      send_all(peer, hpd_text_data(text), hpd_text_len(text));
      hpd_text_free(text);
    }
    close(peer);
  }
}
