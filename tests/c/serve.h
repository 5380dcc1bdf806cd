/* A server of a detector's metrics. */
#ifndef SERVE_H
#define SERVE_H

#include "hotpart.h"

/* Is told of each request before its answer is made: by the request's first bytes, as text. */
typedef void (*serve_asked)(hpd_detector *detector, const char *request);

/* Serves the metrics on 127.0.0.1, on a port that it prints, until it is killed. Options and asked
 * may be NULL. */
void serve(hpd_detector *detector, const hpd_metrics_options *options, serve_asked asked);

#endif
