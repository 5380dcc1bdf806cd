#include "serve.h"
#include "check.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_all(int to, const char *data, size_t len) {
  while (len > 0) {
    ssize_t sent = write(to, data, len);
    if (sent <= 0) return;
    data += sent;
    len -= (size_t)sent;
  }
}

static void answer(int peer, const hpd_detector *detector, const hpd_metrics_options *options) {
  char head[128];
  int head_len;
  hpd_text *text;
  CHECK_EQUAL(hpd_metrics_take(detector, options, &text), HPD_OK);
  head_len = snprintf(head, sizeof head,
                      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\n"
                      "Connection: close\r\n\r\n",
                      hpd_text_len(text));
  send_all(peer, head, (size_t)head_len);
  send_all(peer, hpd_text_data(text), hpd_text_len(text));
  hpd_text_free(text);
}

void serve(hpd_detector *detector, const hpd_metrics_options *options, serve_asked asked) {
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
    ssize_t read_len;
    int peer = accept(listener, NULL, NULL);
    if (peer < 0) continue;
    read_len = read(peer, request, sizeof request - 1);
    if (read_len > 0) {
      request[read_len] = '\0';
      if (asked != NULL) asked(detector, request);
      answer(peer, detector, options);
    }
    close(peer);
  }
}
