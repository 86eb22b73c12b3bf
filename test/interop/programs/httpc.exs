# A file over HTTPS by :httpc, and a server that is not known. usage: httpc.exs FOLDER PORT SSL
[folder, port, implementation] = System.argv()
for app <- [:inets, :ssl], do: {:ok, _} = Application.ensure_all_started(app)

get = fn ca, profile ->
  {:ok, _} = :inets.start(:httpc, profile: profile)
  ssl = [verify: :verify_peer, cacertfile: Path.join(folder, ca), depth: 2]
  url = 'https://localhost:#{port}/hello-0.1.0.ez'
  :httpc.request(:get, {url, []}, [ssl: ssl, timeout: 30_000], [body_format: :binary], profile)
end

archive = File.read!("hello-0.1.0.ez")
{:ok, {{_, 200, _}, _, ^archive}} = get.("ca.pem", :known)
{:error, {:failed_connect, [_, {:inet, _, reason}]}} = get.("stranger_ca.pem", :unknown)
{:tls_alert, {:unknown_ca, _}} = reason

case implementation do
  "otp" -> false = :code.is_loaded(:ssl_port)
  _ -> %{handshakes_client: 1, handshakes_failed: 1} = :ssl_port_metrics.counters()
end
