from simulator import Settings, World, create_app

app = create_app(Settings.from_environment())
World.of(app).start()
