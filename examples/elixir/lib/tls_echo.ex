defmodule TlsEcho do
  @moduledoc """
  A TLS server that sends back what comes, line by line, and a client of it.

      children = [{TlsEcho, certfile: "server.pem", keyfile: "server.key"}]
      Supervisor.start_link(children, strategy: :one_for_one)
  """

  use GenServer

  @doc "Starts a server. `options` are those of `:ssl_port.listen/2`, and `:port`, by default any."
  def start_link(options), do: GenServer.start_link(__MODULE__, options)

  @doc "The port that a server listens on."
  def port(server), do: GenServer.call(server, :port)

  @doc "Sends a line to a server, and returns what comes back, and the version of TLS."
  def echo(host, port, line, options) do
    options = [:binary, packet: :line, active: false] ++ options

    with {:ok, socket} <- :ssl_port.connect(host, port, options, 5000),
         :ok <- :ssl_port.send(socket, [line, "\n"]),
         {:ok, reply} <- :ssl_port.recv(socket, 0, 5000),
         {:ok, protocol: version} <- :ssl_port.connection_information(socket, [:protocol]) do
      :ssl_port.close(socket)
      {:ok, String.trim_trailing(reply, "\n"), version}
    end
  end

  @impl true
  def init(options) do
    {port, options} = Keyword.pop(options, :port, 0)
    options = [:binary, packet: :line, active: false, reuseaddr: true] ++ options

    with {:ok, listener} <- :ssl_port.listen(port, options),
         {:ok, tasks} <- Task.Supervisor.start_link() do
      {:ok, _} = Task.start_link(fn -> accept(listener, tasks) end)
      {:ok, listener}
    else
      {:error, reason} -> {:stop, reason}
    end
  end

  @impl true
  def handle_call(:port, _from, listener) do
    {:ok, {_address, port}} = :ssl_port.sockname(listener)
    {:reply, port, listener}
  end

  # A process a connection, which owns its socket from the handshake on.
  defp accept(listener, tasks) do
    {:ok, transport} = :ssl_port.transport_accept(listener)

    {:ok, task} =
      Task.Supervisor.start_child(tasks, fn ->
        receive do
          :yours -> serve(:ssl_port.handshake(transport, 5000))
        end
      end)

    :ok = :ssl_port.controlling_process(transport, task)
    send(task, :yours)
    accept(listener, tasks)
  end

  defp serve({:ok, socket}) do
    :ok = :ssl_port.setopts(socket, active: :once)
    serve(socket)
  end

  defp serve({:error, _reason}), do: :ok

  defp serve(socket) do
    receive do
      {:ssl, ^socket, line} ->
        :ok = :ssl_port.send(socket, line)
        :ok = :ssl_port.setopts(socket, active: :once)
        serve(socket)

      {:ssl_closed, ^socket} ->
        :ok

      {:ssl_error, ^socket, _reason} ->
        :ok
    end
  end
end
