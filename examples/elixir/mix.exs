defmodule TlsEcho.MixProject do
  @moduledoc false
  use Mix.Project

  def project do
    [app: :tls_echo, version: "0.1.0", elixir: "~> 1.14", deps: deps()]
  end

  def application do
    [extra_applications: [:logger, :public_key]]
  end

  # `make build` in that folder first: it compiles the port program that stands in priv.
  defp deps do
    [{:ssl_port, path: "../..", manager: :rebar3}]
  end
end
