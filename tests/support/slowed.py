"""A server that runs slower than the machine."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def slowed(server):
    """Lets a server, also one that is started meanwhile, run a tenth of the time: what it does in a moment can be
    watched, and ended in the middle, however fast the machine is."""
    over = threading.Event()

    def stop_and_go():
        while not over.is_set():
            process = server.process
            if process:
                process.send_signal(signal.SIGSTOP)
                over.wait(0.045)
                process.send_signal(signal.SIGCONT)
            over.wait(0.005)

    thread = threading.Thread(target=stop_and_go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
