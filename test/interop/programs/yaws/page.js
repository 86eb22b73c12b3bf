// What a browser does with a server: many requests at once, posts, streams, a web socket. The results are put
// into the page, for `--dump-dom`.
const results = [];
const hex = (buffer) =>
  [...new Uint8Array(buffer)].map((n) => n.toString(16).padStart(2, '0')).join('');
const digest = async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes));

async function requestsAtOnce() {
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      fetch(`/big.bin?${n}`)
        .then((r) => r.arrayBuffer())
        .then(digest),
    ),
  );
  return new Set(all).size === 1 ? all[0] : 'different';
}

async function post() {
  const body = new Uint8Array(3_000_000).map((_, n) => n % 251);
  const [here, there] = [
    await digest(body),
    await (await fetch('/post.yaws', { method: 'POST', body })).text(),
  ];
  return here === there.trim().toLowerCase() ? 'same' : 'different';
}

async function stream() {
  const lines = (await (await fetch('/stream.yaws')).text()).trim().split('\n');
  return lines.every((line, n) => Number(line) === n + 1) ? lines.length : 'different';
}

const webSocket = () =>
  new Promise((resolve) => {
    const socket = new WebSocket(`wss://${location.host}/echo.yaws`);
    let count = 0;
    socket.onerror = () => resolve('error');
    socket.onopen = () => socket.send('message 0');
    socket.onmessage = ({ data }) => {
      if (data !== `message ${count}`) resolve('different');
      else if (++count === 1000) socket.close();
      else socket.send(`message ${count}`);
    };
    socket.onclose = () => resolve(count);
  });

const picture = async () => {
  const image = document.getElementById('picture');
  await image.decode();
  return image.naturalWidth;
};

addEventListener('DOMContentLoaded', async () => {
  // A frame that is being written holds back the event `load`, and so `--dump-dom`.
  const frame = document.body.appendChild(document.createElement('iframe'));
  frame.contentDocument.open();
  for (const [name, run] of Object.entries({ requestsAtOnce, post, stream, webSocket, picture })) {
    results.push(`${name}=${await run().catch((error) => error)}`);
  }
  results.push(`tls=${await (await fetch('/tls.yaws')).text()}`);
  document.getElementById('result').textContent = results.join(';');
  frame.contentDocument.close();
});
