defmodule Certificates do
  @moduledoc "An authority, and a certificate of localhost that it issued, made on the spot."

  require Record

  Record.defrecord(
    :extension,
    :Extension,
    Record.extract(:Extension, from_lib: "public_key/include/public_key.hrl")
  )

  @san {2, 5, 29, 17}

  @doc "`%{server: options, client: options}`, as `:public_key.pkix_test_data/1` has them."
  def make do
    key = [key: {:namedCurve, :secp256r1}, digest: :sha256]
    name = extension(extnID: @san, critical: false, extnValue: [dNSName: 'localhost'])

    %{server_config: server, client_config: client} =
      :public_key.pkix_test_data(%{
        server_chain: %{root: key, intermediates: [], peer: [extensions: [name]] ++ key},
        client_chain: %{root: key, intermediates: [], peer: key}
      })

    %{server: server, client: client}
  end

  @doc "Writes them into a folder: ca.pem, server.pem, server.key."
  def write(dir, %{server: server, client: client}) do
    {kind, key} = server[:key]
    pem(dir, "ca.pem", Enum.map(client[:cacerts], &{:Certificate, &1, :not_encrypted}))
    pem(dir, "server.pem", [{:Certificate, server[:cert], :not_encrypted}])
    pem(dir, "server.key", [{kind, key, :not_encrypted}])
  end

  defp pem(dir, name, entries),
    do: File.write!(Path.join(dir, name), :public_key.pem_encode(entries))
end
