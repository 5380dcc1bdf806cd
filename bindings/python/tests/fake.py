"""A DynamoDB that answers what it is told to, for what no emulator answers."""

import http.server
import json
import threading


class Fake:
    """Answers requests in turn; None drops the connection."""

    def __init__(self):
        fake = self
        self.answers = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                answer = fake.answers.pop(0)
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, body = answer
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def error(name, **members):
    return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{name}", "message": "as told"} | members


def throttle(*reasons):
    named = [{"reason": reason, "resource": resource} for reason, resource in reasons]
    return error("ProvisionedThroughputExceededException", **({"ThrottlingReasons": named} if named else {}))


def description(table):
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    index = [{"IndexName": "by_g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}]
    return 200, {"Table": {"TableName": table, "KeySchema": key, "GlobalSecondaryIndexes": index}}
