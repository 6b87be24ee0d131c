# A program for `recado reply upper --exec python3 once.py`: see docs/processes-and-threads.md.
import sys

payload = sys.stdin.buffer.read()
sys.stdout.buffer.write(payload.upper())
