"""A process that runs slower than the machine."""

import contextlib
import signal
import threading
import time

RUN_S, STAND_S = 0.005, 0.045
# Of one turn, for who has nothing to do or gets no processor.
TURN_S_MAX = 0.1


def processor_s(pid):
    """Processor time that a process has used; what is gone: 0."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) does
    except OSError:
        return 0.0


@contextlib.contextmanager
def slowed(server):
    """Lets a server, also one that is started meanwhile, stand still whenever it has worked a little: what it does in a
    moment can be watched, and ended in the middle, however fast the machine is."""
    over = threading.Event()

    def stop_and_go():
        while not over.is_set():
            process = server.process
            if not process:
                over.wait(RUN_S)
                continue
            worked, begun = processor_s(process.pid), time.monotonic()
            while processor_s(process.pid) < worked + RUN_S and time.monotonic() < begun + TURN_S_MAX:
                over.wait(RUN_S / 5)
            process.send_signal(signal.SIGSTOP)
            over.wait(STAND_S)
            process.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=stop_and_go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
