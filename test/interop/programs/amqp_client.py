"""An AMQPS client on python3-pika. usage: amqp_client.py FOLDER PORT WHAT [ARGUMENT]"""

import hashlib
import ssl
import sys
import threading
import time

import pika

folder, port, what, *arguments = sys.argv[1:]


def context(certificate="client"):
    made = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    if certificate == "stranger":
        made.load_cert_chain(f"{folder}/stranger_ca.pem", f"{folder}/stranger_ca.key")
    elif certificate != "none":
        made.load_cert_chain(f"{folder}/{certificate}.pem", f"{folder}/{certificate}.key")
    return made


def connect(made=None):
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            "localhost",
            int(port),
            credentials=pika.credentials.ExternalCredentials(),
            ssl_options=pika.SSLOptions(made or context(), "localhost"),
            blocked_connection_timeout=60,
            socket_timeout=60,
        )
    )


def body(number):
    """Of its own for every number, from a few bytes to some kilobytes."""
    return hashlib.sha256(str(number).encode()).digest() * (1 + number * 7919 % 100)


def publish(channel, queue, bodies):
    for each in bodies:
        channel.basic_publish("", queue, each)


def consume(channel, queue, bodies):
    wanted = iter(bodies)
    left = len(bodies)
    for method, _, got in channel.consume(queue, inactivity_timeout=60):
        assert method is not None, f"{left} messages did not come"
        assert got == next(wanted), "another message than the one published"
        left -= 1
        if left == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)
            channel.cancel()
            return


def there_and_back(bodies, queue, confirmed=False):
    connection = connect()
    channel = connection.channel()
    if confirmed:
        channel.confirm_delivery()
    channel.queue_declare(queue)
    publish(channel, queue, bodies)
    consume(channel, queue, bodies)
    channel.queue_delete(queue)
    connection.close()


def messages(number):
    there_and_back([body(n) for n in range(int(number))], "messages")


def large():
    there_and_back([bytes([n]) * (n * 1_000_000) for n in range(1, 9)], "large", confirmed=True)


def many(number):
    failed = []

    def one(n):
        try:
            there_and_back([body(n * 1000 + m) for m in range(50)], f"many{n}")
        except BaseException as error:  # told by the main thread
            failed.append(repr(error))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(int(number))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def version(name):
    made = context()
    made.minimum_version = made.maximum_version = ssl.TLSVersion[f"TLSv{name.replace('.', '_')}"]
    connect(made).close()


def refused(certificate):
    try:
        connect(context(certificate))
    except (pika.exceptions.AMQPError, ssl.SSLError, OSError):
        return
    raise AssertionError("was let in")


def hold():
    connection = connect()
    connection.channel()
    while True:
        connection.process_data_events(1)


def shovelled(number):
    bodies = [body(n) for n in range(int(number))]
    connection = connect()
    channel = connection.channel()
    for queue in ("from", "to"):
        channel.queue_declare(queue, durable=True)
    publish(channel, "from", bodies)
    consume(channel, "to", bodies)
    connection.close()


globals()[what](*arguments)
