# A worker for `recado reply upper --pool 2 --exec python3 worker.py`: see docs/processes-and-threads.md.
import json
import sys

requests, answers = sys.stdin.buffer, sys.stdout.buffer
for line in requests:
    request = json.loads(line)
    payload = requests.read(request["size"])
    answer = payload.upper()
    answers.write(json.dumps({"size": len(answer)}).encode() + b"\n" + answer)
    answers.flush()
