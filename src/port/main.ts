#!/usr/bin/env node
/**
 * The command `ssl-port`. It imports nothing before it knows that Node.js is new enough, and `serve`, which
 * the BEAM starts and waits for, does not load the command line parser.
 */

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `ssl-port: Node.js 20.19 or later is needed, but ${process.execPath} is ${process.versions.node}\n`,
  );
  process.exit(1);
}

/** Above all a broken installation; the supervisor of a port sees the exit status. */
function failed(cause: unknown): never {
  process.stderr.write(
    `ssl-port: unexpected error: ${cause instanceof Error ? cause.stack : String(cause)}\n`,
  );
  process.exit(70);
}

async function run(args: readonly string[]): Promise<void> {
  if (args[0] === 'serve') {
    const { readServeArguments } = await import('./serve_options.ts');
    const options = readServeArguments(args.slice(1));
    if (options !== undefined) {
      await import('./stdio_guard.ts');
      const { serve } = await import('./serve.ts');
      serve(options);
      return;
    }
  }
  const { runCommand } = await import('./command.ts');
  await runCommand(args);
}

run(process.argv.slice(2)).catch(failed);
