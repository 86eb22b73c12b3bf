Code.require_file("certificates.exs", __DIR__)

defmodule TlsEchoTest do
  use ExUnit.Case

  import ExUnit.CaptureIO

  setup_all do
    %{certificates: Certificates.make()}
  end

  defp start(%{server: server}, options \\ []) do
    TlsEcho.port(start_supervised!({TlsEcho, server ++ options}))
  end

  defp client(%{client: client}), do: [verify: :verify_peer] ++ client

  for version <- [:"tlsv1.2", :"tlsv1.3"] do
    test "a line comes back, by #{version}", %{certificates: certificates} do
      port = start(certificates)
      options = [versions: [unquote(version)]] ++ client(certificates)

      assert {:ok, "hello", unquote(version)} = TlsEcho.echo('localhost', port, "hello", options)
    end
  end

  test "many clients at once", %{certificates: certificates} do
    port = start(certificates)

    replies =
      1..50
      |> Task.async_stream(
        &TlsEcho.echo('localhost', port, "line #{&1}", client(certificates)),
        max_concurrency: 10,
        timeout: 60_000
      )
      |> Enum.map(fn {:ok, {:ok, reply, _version}} -> reply end)

    assert replies == Enum.map(1..50, &"line #{&1}")
  end

  test "a server of another name is refused", %{certificates: certificates} do
    port = start(certificates)
    options = [server_name_indication: 'example.org'] ++ client(certificates)

    assert {:error, {:tls_alert, {:handshake_failure, _text}}} =
             TlsEcho.echo('localhost', port, "hello", options)
  end

  test "a client without a certificate is refused", %{certificates: certificates} do
    port = start(certificates, verify: :verify_peer, fail_if_no_peer_cert: true)
    options = [verify: :verify_none, versions: [:"tlsv1.2"]]

    assert {:error, {:tls_alert, {:handshake_failure, _text}}} =
             TlsEcho.echo('localhost', port, "hello", options)
  end

  # The example of the project's README, as it stands there.
  @tag :tmp_dir
  test "the example of the README", %{certificates: certificates, tmp_dir: dir} do
    readme = File.read!(Path.expand("../../../README.md", __DIR__))
    [_, example] = Regex.run(~r/^```elixir\n(.*?)^```$/ms, readme)
    Certificates.write(dir, certificates)

    output = File.cd!(dir, fn -> capture_io(fn -> Code.eval_string(example) end) end)

    assert output == "you said: hello\n"
  end
end
